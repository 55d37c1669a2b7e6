"""What an API endpoint is, and what its handler is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .account import Account, Work
from .errors import JSON, not_found
from .params import Shape
from .records import Record
from .store import Transaction


@dataclass
class Call:
    """One API request: its checked parameters and the work it may do."""

    work: Work
    params: JSON
    id: str = ""  # the object named in the path
    publishable: bool = False

    @property
    def account(self) -> Account:
        """The account asked."""
        return self.work.account

    @property
    def tx(self) -> Transaction:
        """The open transaction."""
        return self.work.tx

    @property
    def now(self) -> int:
        """The stand-in's time in whole seconds."""
        return self.work.now

    def target(self, type: str, param: str = "id", deleted: bool = False) -> Record:
        """Return the object that the path names, or raise Stripe's 404."""
        record = self.tx.get(type, self.id)
        if record is None or (record.deleted and not deleted):
            raise not_found(type, self.id, param)
        return record


@dataclass(frozen=True)
class Endpoint:
    """One method and path of the API.

    `params` is the SDK's TypedDict for it; `browser_params` are what Stripe.js may send besides
    with a publishable key (the SDK does not declare those).
    """

    method: str
    path: str
    params: type
    handler: Callable[[Call], JSON]
    publishable: bool = False
    browser_params: Mapping[str, Shape] = field(default_factory=dict)


def updated(old: JSON, change: JSON | None) -> JSON:
    """Return metadata after a change: keys are merged, None removes a key, None alone all."""
    if change is None:
        return {}
    merged = {**old, **change}
    return {key: value for key, value in merged.items() if value is not None}


def changed(before: JSON, after: JSON) -> JSON:
    """Return the old values of what differs: an event's `previous_attributes`.

    Hashes are compared key by key, as Stripe does.
    """
    previous: JSON = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old != new:
            previous[name] = _previous(old, new)
    return previous


def _previous(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return changed(old, new)
    return old
