"""Faults of the API that can be switched on: latency, errors, limits, dropped connections."""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from .errors import JSON
from .ids import new_id

KINDS = ("latency", "status", "rate_limit", "drop", "drop_after")
STATUSES = (500, 502, 503, 504)
METHODS = ("GET", "POST", "DELETE")
MAX_LATENCY_MS = 120_000


class BadFault(ValueError):
    """The description of a fault makes no sense; the text says why."""


@dataclass
class Fault:
    """One rule. `count` is how many more requests it hits (None: any number).

    `status` faults: 500 says that the endpoint failed while working (Stripe remembers such an
    answer for the idempotency key); 502 to 504 come from in front of it. With `after` the
    request is executed first and then answered with the error.
    """

    kind: str
    path: str = "/v1/*"
    method: str | None = None
    probability: float = 1.0
    count: int | None = None
    latency_ms: int = 0
    status: int = 500
    after: bool = False
    should_retry: bool | None = None
    id: str = field(default_factory=lambda: new_id("fault"))
    hits: int = 0

    def __post_init__(self) -> None:
        check_rule(self.probability, self.count)
        _require(self.kind in KINDS, f"kind must be one of {', '.join(KINDS)}")
        _require(
            isinstance(self.path, str) and self.path.startswith("/"),
            "path must be a pattern that starts with /, such as /v1/payment_intents*",
        )
        _require(
            self.method is None or self.method in METHODS,
            f"method must be one of {', '.join(METHODS)}, or left out",
        )
        _require(
            is_int(self.latency_ms) and 0 <= self.latency_ms <= MAX_LATENCY_MS,
            f"latency_ms must be a whole number from 0 to {MAX_LATENCY_MS}",
        )
        _require(
            self.kind != "latency" or self.latency_ms > 0,
            "a latency fault needs latency_ms, in milliseconds",
        )
        _require(self.status in STATUSES, "status must be one of 500, 502, 503, 504")
        _require(isinstance(self.after, bool), "after must be true or false")
        _require(
            self.should_retry in (None, True, False),
            "should_retry must be true, false, or left out",
        )

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is in this rule's reach."""
        return self.method in (None, method) and fnmatchcase(path, self.path)


class ApiFaults:
    """The rules in force; every request draws from them."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random()  # noqa: S311  chance for tests, no secret

    def add(self, description: JSON) -> Fault:
        """Switch a fault on; raise BadFault for a description that makes no sense."""
        fault = build(Fault, description)
        with self._lock:
            self._rules.append(fault)
        return fault

    def draw(self, method: str, path: str) -> list[Fault]:
        """Return the faults that hit this request, and count them."""
        with self._lock:
            return [
                rule
                for rule in self._rules
                if rule.matches(method, path) and hit(rule, self._random)
            ]

    def listed(self) -> list[JSON]:
        """Return all rules as JSON."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def clear(self, id: str | None = None) -> int:
        """Switch one fault off, or all; return how many were."""
        with self._lock:
            kept = [rule for rule in self._rules if id is not None and rule.id != id]
            removed = len(self._rules) - len(kept)
            self._rules = kept
        return removed


_Rule = TypeVar("_Rule", bound=Any)


def build(rule: type[_Rule], description: JSON) -> _Rule:
    """Make a rule from JSON; raise BadFault naming what is wrong."""
    allowed = {item.name for item in fields(rule)} - {"id", "hits"}
    unknown = set(description) - allowed
    _require(
        not unknown,
        f"unknown field {', '.join(sorted(unknown))}; known are {', '.join(sorted(allowed))}",
    )
    _require("kind" in description, "kind is missing")
    built: _Rule = rule(**description)
    return built


def check_rule(probability: object, count: object) -> None:
    """Raise BadFault unless probability and count make sense."""
    number = isinstance(probability, int | float) and not isinstance(probability, bool)
    _require(number and 0 <= float(str(probability)) <= 1, "probability must be from 0 to 1")
    _require(
        count is None or (is_int(count) and int(str(count)) > 0),
        "count must be a whole number above 0, or left out",
    )


def hit(rule: Any, chance: random.Random) -> bool:
    """Draw once for a rule that is in reach; count the hit and use up one of `count`."""
    if rule.count == 0 or chance.random() >= rule.probability:
        return False
    rule.hits += 1
    if rule.count is not None:
        rule.count -= 1
    return True


def is_int(value: object) -> bool:
    """Tell whether a JSON value is a whole number (a bool is not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise BadFault(sentence)
