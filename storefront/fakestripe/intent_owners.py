"""Who is told when a payment intent has changed: the invoice or the session that made it."""

from __future__ import annotations

from collections.abc import Callable

from .account import Work
from .records import Record

Follower = Callable[[Work, Record, str], None]

# Kind of owner -> function of the intent and the owner's id. Filled where the owners are
# defined: the intents themselves know nothing of billing.
FOLLOWERS: dict[str, Follower] = {}


def follow(kind: str) -> Callable[[Follower], Follower]:
    """Register the function that hears about intents of this kind of owner."""

    def register(function: Follower) -> Follower:
        FOLLOWERS[kind] = function
        return function

    return register


def own(work: Work, intent: Record, kind: str, id: str) -> None:
    """Make an object hear about an intent, after those that already do."""
    intent.private.setdefault("owners", []).append([kind, id])
    work.save(intent)


def tell(work: Work, intent: Record) -> None:
    """Tell the owners that an attempt, a challenge or a late settlement has ended."""
    for kind, id in list(intent.private.get("owners", [])):
        FOLLOWERS[kind](work, intent, id)
