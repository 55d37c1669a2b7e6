"""Explaining against a purse in which every credit carries its cause, on both databases."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storefront import explaining, ledger
from storefront.db import db, transaction
from storefront.ledger import Order
from tests.support.builders import a_user
from tests.support.lots import FIRST_OF_JANUARY

WHAT = ("top_up", "plan_grant", "plan_grant", "spend", "spend", "refund", "time passes")
steps = st.lists(
    st.tuples(st.sampled_from(WHAT), st.integers(1, 40), st.integers(1, 6)), max_size=14
)


@dataclass
class Pile:
    """What is left of a grant, or of a debt; `end` is the hour at which it expires."""

    name: str
    left: int
    end: int | None = None

    def gives(self, credits: int) -> int:
        """What is missing then."""
        part = min(self.left, credits)
        self.left -= part
        return credits - part


@dataclass
class Purse:
    lots: list[Pile] = field(default_factory=list)
    lasting: list[Pile] = field(default_factory=list)
    debts: list[Pile] = field(default_factory=list)

    def receives(self, name: str, credits: int, end: int | None) -> None:
        for debt in self.debts:
            credits = debt.gives(credits)
        (self.lots if end else self.lasting).append(Pile(name, credits, end))

    def gives(self, name: str, credits: int, hour: int) -> None:
        self.loses_what_ends(hour)
        self.lots.sort(key=lambda lot: (lot.end, lot.name))
        for pile in (*self.lots, *self.lasting):
            credits = pile.gives(credits)
        self.debts.append(Pile(name, credits))

    def loses_what_ends(self, hour: int) -> None:
        self.lots = [lot for lot in self.lots if lot.end and lot.end > hour]

    def holds(self) -> int:
        return sum(pile.left for pile in (*self.lots, *self.lasting))

    def told(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        self.lots.sort(key=lambda lot: (lot.end, lot.name))
        left = [(it.name, it.left) for it in (*self.lots, *reversed(self.lasting)) if it.left]
        return left, [(it.name, it.left) for it in reversed(self.debts) if it.left]


class Story:
    """The same steps for a customer's wallet and for the purse."""

    def __init__(self, app: Flask) -> None:
        self.app, self.user, self.run = app, a_user(app).id, uuid.uuid4().hex
        self.purse, self.hour, self.count = Purse(), 0, 0

    def goes_on(self, what: str, credits: int, hours: int) -> None:
        self.count += 1
        name = f"{self.run}:{self.count:02}"
        if what == "time passes":
            self.hour += hours
            self.purse.loses_what_ends(self.hour)
            with self.app.app_context(), transaction() as session:
                ledger.expire_due(session, self._time(self.hour))
        elif what in ("spend", "refund"):
            if what == "refund" or credits <= self.purse.holds():
                self.purse.gives(name, credits, self.hour)
                self._moves(Order(name, what, self.user, credits, self._time(self.hour)))
        else:
            end = self.hour + hours if what == "plan_grant" else None
            self.purse.receives(name, credits, end)
            expires_at = self._time(end) if end else None
            self._moves(Order(name, what, self.user, credits, expires_at=expires_at))

    def explained(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        with self.app.app_context():
            found = explaining.explain(db.session(), self.user)
        parts = [[(it.cause.transfer_id, it.credits) for it in them] for them in
                 (found.parcels, found.debts)]  # fmt: skip
        assert sum(it.credits for it in found.parcels) == max(0, found.balance)
        assert sum(it.credits for it in found.debts) == max(0, -found.balance)
        assert found.older == 0
        return parts[0], parts[1]

    def _moves(self, order: Order) -> None:
        with self.app.app_context(), transaction() as session:
            ledger.transfer(session, order)

    def _time(self, hour: int) -> datetime:
        return FIRST_OF_JANUARY + timedelta(hours=hour)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps)
def tell(app: Flask, steps: list[tuple[str, int, int]]) -> None:
    story = Story(app)
    for step in steps:
        story.goes_on(*step)
    assert story.explained() == story.purse.told()


def test_every_credit_is_explained_as_the_purse_knows_it(app: Flask) -> None:
    tell(app)
