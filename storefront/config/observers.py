"""Who looks at the shop from outside: the log, Prometheus, Sentry."""

import re
from collections.abc import Mapping
from typing import Literal, cast
from urllib.parse import urlsplit

from storefront.config import values
from storefront.errors import ConfigError

LogFormat = Literal["text", "json"]
LEVELS = ("debug", "info", "warning", "error")
MINIMUM_TOKEN_LENGTH = 16


def log_format(settings: Mapping[str, str], env: str) -> LogFormat:
    """Text for people while they develop; JSON for the machines that collect it in production."""
    default = "json" if env == "production" else "text"
    return cast(LogFormat, values.choice(settings, "LOG_FORMAT", default, ("text", "json")))


def log_level(settings: Mapping[str, str]) -> str:
    return values.choice(settings, "LOG_LEVEL", "info", LEVELS)


def metrics_token(settings: Mapping[str, str]) -> str | None:
    """What Prometheus shows. The message never repeats it."""
    value = settings.get("METRICS_TOKEN")
    if value is not None and not re.fullmatch(rf"[\x21-\x7e]{{{MINIMUM_TOKEN_LENGTH},}}", value):
        raise ConfigError(
            f"METRICS_TOKEN must be at least {MINIMUM_TOKEN_LENGTH} characters without blanks; "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return value


def worker_metrics_port(settings: Mapping[str, str]) -> int | None:
    """Where a worker shows its figures, if anywhere."""
    name = "WORKER_METRICS_PORT"
    if name not in settings:
        return None
    return values.integer(settings, name, 9464, minimum=1, maximum=65535)


def sentry_dsn(settings: Mapping[str, str]) -> str | None:
    """Where crashes are reported to. The message never repeats it."""
    value = settings.get("SENTRY_DSN", "").strip() or None
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.username
    except ValueError:
        usable = None
    if not usable or not re.fullmatch(r"/(?:.*/)?[0-9]+", parts.path):
        raise ConfigError(
            "SENTRY_DSN must be the project's DSN as Sentry shows it: https://key@host/number."
        )
    return value
