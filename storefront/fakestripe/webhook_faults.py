"""Faults of webhook delivery that can be switched on: twice, late, shuffled, dropped."""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from .errors import JSON
from .faults import BadFault, build, check_rule, hit, is_int
from .ids import new_id

KINDS = ("twice", "late", "shuffled", "dropped")


@dataclass
class WebhookFault:
    """One rule over event types (`type` may hold `*`).

    `late` waits `seconds` of the stand-in's clock. `shuffled` holds events until there are
    `hold` of them and releases them in an order drawn from `seed`.
    """

    kind: str
    type: str = "*"
    probability: float = 1.0
    count: int | None = None
    seconds: float = 60
    hold: int = 5
    seed: int = 0
    id: str = field(default_factory=lambda: new_id("fault"))
    hits: int = 0
    held: list[int] = field(default_factory=list)  # delivery ids waiting for company

    def __post_init__(self) -> None:
        check_rule(self.probability, self.count)
        if self.kind not in KINDS:
            raise BadFault(f"kind must be one of {', '.join(KINDS)}")
        if not isinstance(self.type, str) or not self.type:
            raise BadFault("type must be an event type or a pattern such as payment_intent.*")
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or self.seconds < 0:
            raise BadFault("seconds must be a number from 0")
        if not is_int(self.hold) or self.hold < 2:
            raise BadFault("hold must be a whole number from 2")
        if not is_int(self.seed):
            raise BadFault("seed must be a whole number")

    def order(self) -> list[int]:
        """Return the held deliveries in their drawn order, and hold none any more."""
        held, self.held = self.held, []
        random.Random(f"{self.seed}:{self.hits}").shuffle(held)  # noqa: S311  no secret
        return held


class WebhookFaults:
    """The rules in force; every event to be delivered draws from them."""

    def __init__(self) -> None:
        self._rules: list[WebhookFault] = []
        self._lock = threading.Lock()
        self._random = random.Random()  # noqa: S311  chance for tests, no secret

    def add(self, description: JSON) -> WebhookFault:
        """Switch a fault on; raise BadFault for a description that makes no sense."""
        if "held" in description:
            raise BadFault("unknown field held")
        rule = build(WebhookFault, description)
        with self._lock:
            self._rules.append(rule)
        return rule

    def draw(self, event_type: str) -> WebhookFault | None:
        """Return the first fault that hits this event, and count it."""
        with self._lock:
            for rule in self._rules:
                if fnmatchcase(event_type, rule.type) and hit(rule, self._random):
                    return rule
        return None

    def hold(self, rule: WebhookFault, deliveries: list[int]) -> list[int]:
        """Hold deliveries back; return all held ones, shuffled, when they are enough, or when the
        rule was switched off since it was drawn."""
        with self._lock:
            rule.held.extend(deliveries)
            complete = len(rule.held) >= rule.hold
            return rule.order() if complete or rule not in self._rules else []

    def release(self) -> list[list[int]]:
        """Give back every incomplete batch, each in its drawn order."""
        with self._lock:
            return [rule.order() for rule in self._rules if rule.held]

    def listed(self) -> list[JSON]:
        """Return all rules as JSON."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def clear(self, id: str | None = None) -> tuple[int, list[list[int]]]:
        """Switch one fault off, or all; return how many, and the batches they held."""
        with self._lock:
            gone = [rule for rule in self._rules if id is None or rule.id == id]
            self._rules = [rule for rule in self._rules if rule not in gone]
            return len(gone), [rule.order() for rule in gone if rule.held]
