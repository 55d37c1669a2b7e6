"""One line per record, as text for people or as JSON for machines.

    2026-11-21T19:40:08.123Z INFO request method=GET path=/top-up status=200 ms=12 request_id=…

Text and JSON hold the same facts. (Libraries for this bring a configuration of their own; this is
one dictionary, rendered twice.)
"""

import json
import logging
import logging.config
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from storefront.observing import about
from storefront.observing.hiding import hidden, is_suspicious

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")
PLAIN = re.compile(r"[!#-<>-\[\]-~]+")
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would end a line, or move a terminal's cursor; a traceback keeps its ends of lines."""

CONTROLS_IN_TRACE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")

# Our lines tell none of this, and finding it out takes as long as rendering one
# (docs.python.org/3/howto/logging.html#optimization).
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None

_as_json = json.JSONEncoder(default=str).encode


def with_facts(**values: object) -> dict[str, dict[str, object]]:
    """What a record knows besides its message: log.info("request", extra=with_facts(ms=12))."""
    return {"facts": values}


def configure(format: str, level: str) -> None:
    """Have everything that this process logs written to stderr in our lines, unless somebody has
    decided already what becomes of it."""
    if not logging.getLogger().handlers:
        logging.config.dictConfig(configuration(format, level))


def configuration(format: str, level: str) -> dict[str, Any]:
    """For logging.config. What others tell of their every step is left out."""
    formatter = JsonLines if format == "json" else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "alembic": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }


class TextLines(logging.Formatter):
    """Time, level, message, then key=value; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_time(record), record.levelname, CONTROLS.sub(_escaped, record.getMessage())]
        words += [f"{name}={_word(value)}" for name, value in _facts(record).items()]
        trace = CONTROLS_IN_TRACE.sub(_escaped, _trace(self, record))
        return hidden(" ".join(words) + (f"\n{trace}" if trace else ""))


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, the facts, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if trace := _trace(self, record):
            fields["traceback"] = trace
        line = _as_json(fields)
        if not is_suspicious(line):
            return line
        return _as_json({name: _hidden(value) for name, value in fields.items()})


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {**getattr(record, "facts", {}), **about.known()}


def _hidden(value: object) -> object:
    """Masked before it becomes JSON: afterwards an escaped character could lose its half."""
    return value if isinstance(value, int | float | None) else hidden(str(value))


def _time(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    """Many lines are of one second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def _word(value: object) -> str:
    text = str(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text)


def _escaped(control: re.Match[str]) -> str:
    return json.dumps(control[0])[1:-1]


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
