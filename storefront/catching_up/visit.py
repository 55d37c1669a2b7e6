"""One catch-up while it runs: what it takes in, what it counts, how long it may take."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlalchemy.orm import Session

from storefront import inbox, redelivery
from storefront.catching_up.tables import CatchUp
from storefront.db import db
from storefront.inbox import State
from storefront.stripe_gateway import Event, StripeGateway


@dataclass(frozen=True)
class Tally:
    """Counts of events; see CatchUp."""

    listed: int = 0
    known: int = 0
    missing: int = 0
    failed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Tally(*(mine + theirs for mine, theirs in pairs))


@dataclass
class Visit:
    """`eager` tries failed events although they are not due. `counted` are the undelivered events,
    which the walk meets again; `tell` is told the tally after each page."""

    gateway: StripeGateway
    id: str
    eager: bool = False
    patience_seconds: float | None = None
    tell: Callable[[Tally], None] = lambda _tally: None
    tally: Tally = Tally()
    counted: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)

    @property
    def out_of_patience(self) -> bool:
        spent = time.monotonic() - self.started
        return self.patience_seconds is not None and spent > self.patience_seconds

    def take_in(self, events: Sequence[Event]) -> Tally:
        """Feed the events that we do not have, try again those that failed; all are committed, with
        their effect or their failure, when this returns."""
        fresh = [event for event in events if event.id not in self.counted]
        states = inbox.states(db.session(), [event.id for event in fresh])
        return sum((self._take_in(each, states.get(each.id)) for each in fresh), Tally())

    def save(self, session: Session, tally: Tally) -> None:
        """Add to what this catch-up has found so far."""
        changes = {
            column: getattr(CatchUp, column) + count for column, count in vars(tally).items()
        }
        session.execute(update(CatchUp).where(CatchUp.id == self.id).values(changes))
        self.tally += tally
        self.tell(self.tally)

    def _take_in(self, event: Event, state: State | None) -> Tally:
        outcome = None
        missing = False
        if state is None:
            outcome = redelivery.feed(event)
            missing = outcome is not None
        elif state == "failed":
            outcome = redelivery.retry(event.id, now=self.eager)
        state = outcome.state if outcome else state
        return Tally(1, int(not missing), int(missing), int(state in ("failed", "parked")))
