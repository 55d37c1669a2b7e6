"""Lots, expiry and the clock against an independent oracle, step by step, on both databases."""

import uuid
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storefront import ledger
from storefront.db import db, transaction
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import a_user
from tests.support.lots import FIRST_OF_JANUARY, assert_lots_add_up, remainders
from tests.support.thoroughness import usually

USERS = range(2)
amounts = st.integers(1, 60)
hours = st.integers(0, 8)


@dataclass(order=True)
class Held:
    """What is left of a lot; those sort first that expire first."""

    end: int
    id: str
    left: int


@dataclass
class Purse:
    """One customer's credits: what lasts (below zero: a debt), lots, and what expired of each."""

    lasting: int = 0
    lots: list[Held] = field(default_factory=list)
    expired: dict[str, int] = field(default_factory=dict)

    def total(self) -> int:
        return self.lasting + sum(lot.left for lot in self.lots)

    def sweep(self, hour: int) -> None:
        for lot in self.lots:
            if lot.end <= hour and lot.left:
                self.expired[lot.id] = lot.left
                lot.left = 0

    def receive(self, id: str, credits: int, end: int | None) -> None:
        if end is None:
            self.lasting += credits
            return
        paid = min(credits, max(0, -self.lasting))
        self.lasting += paid
        self.lots = sorted([*self.lots, Held(end, id, credits - paid)])

    def give(self, credits: int, hour: int, first: "Grant | None" = None) -> list[Held] | None:
        """None when it is a spend for which there is too little; else what came from lots. A
        clawback names the grant whose credits go first."""
        after, taken = deepcopy(self), list[Held]()
        after.sweep(hour)
        if first is None and credits > after.total():
            return None
        rest = [lot for lot in after.lots if first is None or lot.id != first.id]
        own = [lot for lot in after.lots if first is not None and lot.id == first.id]
        for lot in own:
            credits -= _take(lot, credits, taken)
        if first is not None and first.end is None:
            part = min(credits, first.credits, max(0, after.lasting))
            credits, after.lasting = credits - part, after.lasting - part
        for lot in rest:
            credits -= _take(lot, credits, taken)
        after.lasting -= credits
        self.__dict__ = after.__dict__
        return taken


def _take(lot: Held, credits: int, taken: list[Held]) -> int:
    part = min(credits, lot.left)
    lot.left -= part
    taken.append(Held(lot.end, lot.id, part))
    return part


@dataclass(frozen=True)
class Grant:
    id: str
    user: int
    credits: int
    end: int | None


@dataclass
class Clawback:
    """What one took because of a grant, in all and of lots, and whether it came back."""

    id: str
    grant: Grant
    credits: int
    of_lots: list[Held]
    returned: bool = False


class LotsMachine(RuleBasedStateMachine):
    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.run = uuid.uuid4().hex
        self.users = [a_user(app) for _ in USERS]
        self.purses = [Purse() for _ in USERS]
        self.hour = 0
        self.count = 0
        self.grants: list[Grant] = []
        self.clawbacks: list[Clawback] = []

    @rule(user=st.sampled_from(USERS), credits=amounts, life=st.one_of(st.none(), hours))
    def grant(self, user: int, credits: int, life: int | None) -> None:
        end = None if life is None else self.hour + life
        grant = Grant(self._new_id(), user, credits, end)
        self.grants.append(grant)
        self._order(grant)
        self.purses[user].receive(grant.id, credits, end)

    @rule(data=st.data())
    def repeat_a_grant(self, data: st.DataObject) -> None:
        if self.grants:
            self._order(data.draw(st.sampled_from(self.grants)))

    @rule(data=st.data(), later=st.integers(1, 3))
    def repeat_a_grant_with_another_end(self, data: st.DataObject, later: int) -> None:
        ending = [grant for grant in self.grants if grant.end is not None]
        if ending:
            grant = data.draw(st.sampled_from(ending))
            with pytest.raises(TransferConflict):
                self._order(replace(grant, end=(grant.end or 0) + later))

    @rule(user=st.sampled_from(USERS), credits=amounts)
    def spend(self, user: int, credits: int) -> None:
        taken = self.purses[user].give(credits, self.hour)
        order = Order(self._new_id(), "spend", self.users[user].id, credits, self._now())
        try:
            self._transfer(order)
        except InsufficientCredits:
            assert taken is None
        else:
            assert taken is not None

    @rule(data=st.data(), share=st.integers(1, 4))
    def claw_back(self, data: st.DataObject, share: int) -> None:
        """Part or all of what a grant brought, beyond what others took and what expired."""
        if not self.grants:
            return
        grant = data.draw(st.sampled_from(self.grants))
        total, taken = grant.credits * share // 4, self._net_taken(grant)
        purse, id = self.purses[grant.user], self._new_id()
        purse.sweep(self.hour)
        missing = total - taken - purse.expired.get(grant.id, 0)
        made = self._takes_back(id, grant, total, taken)
        assert made == max(0, missing)
        if missing > 0:
            of_lots = purse.give(missing, self.hour, first=grant)
            assert of_lots is not None
            self.clawbacks.append(Clawback(id, grant, missing, of_lots))

    @rule(data=st.data())
    def repeat_a_clawback(self, data: st.DataObject) -> None:
        if self.clawbacks:
            it = data.draw(st.sampled_from(self.clawbacks))
            assert self._takes_back(it.id, it.grant, 1, 0) == it.credits

    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """All of what a clawback took: for good what has no end to come, then by end, the latest
        first."""
        if not self.clawbacks:
            return
        it = data.draw(st.sampled_from(self.clawbacks))
        parts: dict[int, int] = {}
        for taken in it.of_lots:
            if taken.left and taken.end > self.hour:
                parts[taken.end] = parts.get(taken.end, 0) + taken.left
        for_good = it.credits - sum(parts.values())
        expected = [(None, for_good)] if for_good else []
        expected += sorted(parts.items(), reverse=True)  # type: ignore[arg-type]
        made = self._gives_back(it)
        if it.returned:
            assert sum(made) == it.credits
            return
        it.returned = True
        assert made == [credits for _, credits in expected]
        for number, (end, credits) in enumerate(expected, start=1):
            part = f"{it.id}:back" if number == 1 else f"{it.id}:back:{number}"
            self.purses[it.grant.user].receive(part, credits, end)

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
            expected = {lot.id: lot.left for lot in purse.lots}
            assert remainders(self.app, user.id) == expected

    @invariant()
    def books_are_clean(self) -> None:
        books.assert_clean(self.app)
        assert_lots_add_up(self.app)

    @invariant()
    def only_forgotten_lots_are_reported(self) -> None:
        mine = {ledger.wallet_id(user.id) for user in self.users}
        with self.app.app_context():
            findings = ledger.verify(db.session(), self._now())
        found = {it.account for it in findings if "expired at" in it.finding} & mine
        forgotten = {
            ledger.wallet_id(user.id)
            for user, purse in zip(self.users, self.purses, strict=True)
            if any(lot.left and lot.end < self.hour - 1 for lot in purse.lots)
        }
        assert found == forgotten

    def _net_taken(self, grant: Grant) -> int:
        return sum(it.credits for it in self.clawbacks if it.grant == grant and not it.returned)

    def _takes_back(self, id: str, grant: Grant, total: int, taken: int) -> int:
        owner, first = self.users[grant.user].id, (grant.id,)
        order = Order(id, "refund", owner, total, happened_at=self._now(), take_from=first)
        with self.app.app_context(), transaction() as session:
            made = ledger.take_back(session, order, taken=taken)
            return made.credits if made else 0

    def _gives_back(self, it: Clawback) -> list[int]:
        owner = self.users[it.grant.user].id
        order = Order(
            f"{it.id}:back", "refund_reversed", owner, it.credits, happened_at=self._now()
        )
        with self.app.app_context(), transaction() as session:
            return [made.credits for made in ledger.give_back(session, order, of=[it.id])]

    def _order(self, grant: Grant) -> None:
        code = "top_up" if grant.end is None else "plan_grant"
        end = None if grant.end is None else FIRST_OF_JANUARY + timedelta(hours=grant.end)
        owner = self.users[grant.user].id
        self._transfer(Order(grant.id, code, owner, grant.credits, expires_at=end))

    def _transfer(self, order: Order) -> None:
        with self.app.app_context(), transaction() as session:
            ledger.transfer(session, order)

    def _new_id(self) -> str:
        self.count += 1
        return f"{self.run}:{self.count:03}"

    def _now(self) -> datetime:
        return FIRST_OF_JANUARY + timedelta(hours=self.hour)


def test_lots_do_what_the_oracle_says(app: Flask) -> None:
    run_state_machine_as_test(
        lambda: LotsMachine(app),
        settings=settings(
            max_examples=usually(4, thorough=25),
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
