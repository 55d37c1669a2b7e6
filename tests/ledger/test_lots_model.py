"""Lots, expiry and the clock against an independent oracle, step by step, on both databases."""

import uuid
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storefront import ledger
from storefront.db import db, transaction
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import MOVEMENTS, Movement, Order
from tests.support import books
from tests.support.builders import a_user
from tests.support.lots import FIRST_OF_JANUARY, assert_lots_add_up, remainders

USERS = range(2)
amounts = st.integers(1, 60)
hours = st.integers(0, 8)


@dataclass
class Purse:
    """One customer's credits: what lasts (below zero: a debt), and lots as [end, id, left]."""

    lasting: int = 0
    lots: list[list[int]] = field(default_factory=list)

    def total(self) -> int:
        return self.lasting + sum(left for _, _, left in self.lots)

    def sweep(self, hour: int) -> None:
        for lot in self.lots:
            if lot[0] <= hour:
                lot[2] = 0

    def receive(self, id: int, credits: int, end: int | None) -> None:
        if end is None:
            self.lasting += credits
            return
        paid = min(credits, max(0, -self.lasting))
        self.lasting += paid
        self.lots = sorted([*self.lots, [end, id, credits - paid]])

    def give(self, credits: int, hour: int, *, may_owe: bool) -> bool:
        after = deepcopy(self)
        after.sweep(hour)
        if credits > after.total() and not may_owe:
            return False
        for lot in after.lots:
            part = min(credits, lot[2])
            lot[2] -= part
            credits -= part
        after.lasting -= credits
        self.__dict__ = after.__dict__
        return True


class LotsMachine(RuleBasedStateMachine):
    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.run = uuid.uuid4().hex
        self.users = [a_user(app) for _ in USERS]
        self.purses = [Purse() for _ in USERS]
        self.hour = 0
        self.next_id = 100
        self.grants: list[tuple[int, int, int, int | None]] = []

    @rule(user=st.sampled_from(USERS), credits=amounts, life=st.one_of(st.none(), hours))
    def grant(self, user: int, credits: int, life: int | None) -> None:
        end = None if life is None else self.hour + life
        self.grants.append((self._new_id(), user, credits, end))
        self._order(*self.grants[-1])
        self.purses[user].receive(self.grants[-1][0], credits, end)

    @rule(data=st.data())
    def repeat_a_grant(self, data: st.DataObject) -> None:
        if self.grants:
            self._order(*data.draw(st.sampled_from(self.grants)))

    @rule(data=st.data(), later=st.integers(1, 3))
    def repeat_a_grant_with_another_end(self, data: st.DataObject, later: int) -> None:
        ending = [grant for grant in self.grants if grant[3] is not None]
        if ending:
            id, user, credits, end = data.draw(st.sampled_from(ending))
            with pytest.raises(TransferConflict):
                self._order(id, user, credits, (end or 0) + later)

    @rule(user=st.sampled_from(USERS), credits=amounts)
    def spend(self, user: int, credits: int) -> None:
        self._give("spend", user, credits)

    @rule(user=st.sampled_from(USERS), credits=amounts)
    def claw_back(self, user: int, credits: int) -> None:
        self._give("clawback", user, credits)

    @rule(pause=st.integers(1, 4))
    def time_passes(self, pause: int) -> None:
        self.hour += pause

    @rule(limit=st.integers(1, 3))
    def sweep(self, limit: int) -> None:
        with self.app.app_context():
            while True:
                with transaction() as session:
                    swept = ledger.expire_due(session, self._now(), limit)
                if swept < limit:
                    break
        for purse in self.purses:
            purse.sweep(self.hour)

    @invariant()
    def balances_and_remainders_are_the_oracles(self) -> None:
        for user, purse in zip(self.users, self.purses, strict=True):
            assert books.balance(self.app, user.id) == purse.total()
            expected = {self._name(id): left for _, id, left in purse.lots}
            assert remainders(self.app, user.id) == expected

    @invariant()
    def books_are_clean(self) -> None:
        books.assert_clean(self.app)
        assert_lots_add_up(self.app)

    @invariant()
    def only_forgotten_lots_are_reported(self) -> None:
        mine = {ledger.wallet_id(user.id) for user in self.users}
        with self.app.app_context():
            found = {it.account for it in ledger.verify(db.session(), self._now())} & mine
        forgotten = {
            ledger.wallet_id(user.id)
            for user, purse in zip(self.users, self.purses, strict=True)
            if any(left and end < self.hour - 1 for end, _, left in purse.lots)
        }
        assert found == forgotten

    def _give(self, code: str, user: int, credits: int) -> None:
        fits = self.purses[user].give(credits, self.hour, may_owe=code == "clawback")
        name, owner = self._name(self._new_id()), self.users[user].id
        order = Order(name, code, owner, credits, happened_at=self._now())
        try:
            self._transfer(order)
        except InsufficientCredits:
            assert not fits
        else:
            assert fits

    def _order(self, id: int, user: int, credits: int, end: int | None) -> None:
        code = "top_up" if end is None else "plan_grant"
        ends = None if end is None else FIRST_OF_JANUARY + timedelta(hours=end)
        self._transfer(Order(self._name(id), code, self.users[user].id, credits, expires_at=ends))

    def _transfer(self, order: Order) -> None:
        with self.app.app_context(), transaction() as session:
            ledger.transfer(session, order)

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    def _name(self, id: int) -> str:
        return f"{self.run}:{id}"

    def _now(self) -> datetime:
        return FIRST_OF_JANUARY + timedelta(hours=self.hour)


def test_lots_do_what_the_oracle_says(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    movement = Movement("clawback", "out", "refunds", says="Taken back", may_owe=True)
    monkeypatch.setitem(MOVEMENTS, "clawback", movement)
    run_state_machine_as_test(
        lambda: LotsMachine(app),
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
