"""The ledger against an independent oracle, step by step, on both databases."""

import uuid
from copy import deepcopy
from dataclasses import dataclass, field

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
from tests.support.thoroughness import usually

USERS = range(3)
IDS = range(12)
amounts = st.one_of(st.integers(1, 50), st.integers(1, 10**9))
SIGNS = {
    "top_up": 1, "spend": -1, "refund": -1, "refund_reversed": 1, "dispute": -1,
    "dispute_reversed": 1, "adjustment_in": 1, "adjustment_out": -1,
}  # fmt: skip
codes = st.sampled_from(("top_up", "spend", *SIGNS))
steps = st.tuples(st.sampled_from(IDS), codes, st.sampled_from(USERS), amounts)


@dataclass
class Oracle:
    """What the books should say: a dict of balances and a list of movements, nothing else."""

    balances: dict[int, int] = field(default_factory=lambda: dict.fromkeys(USERS, 0))
    made: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    history: list[tuple[int, int, int, int]] = field(default_factory=list)

    def apply(self, id: int, code: str, user: int, credits: int) -> str:
        if id in self.made:
            return "again" if self.made[id] == (code, user, credits) else "conflict"
        change = SIGNS[code] * credits
        if code == "spend" and self.balances[user] + change < 0:
            return "insufficient"
        self.balances[user] += change
        self.made[id] = (code, user, credits)
        self.history.append((user, id, change, self.balances[user]))
        return "made"

    def apply_all(self, orders: list[tuple[int, str, int, int]]) -> str:
        before = deepcopy(self)
        for order in orders:
            outcome = self.apply(*order)
            if outcome in ("conflict", "insufficient"):
                self.__dict__ = before.__dict__
                return outcome
        return "made"


class LedgerMachine(RuleBasedStateMachine):
    """Users and transfer ids are new in each run, so that runs can share a database."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.run = uuid.uuid4().hex
        self.users = [a_user(app) for _ in USERS]
        self.oracle = Oracle()

    @rule(step=steps)
    def transfer(self, step: tuple[int, str, int, int]) -> None:
        self._same_outcome([step])

    @rule(id=st.sampled_from(IDS), user=st.sampled_from(USERS), credits=amounts)
    def spend(self, id: int, user: int, credits: int) -> None:
        expected = self.oracle.apply(id, "spend", user, credits)
        with self.app.app_context():
            try:
                with transaction() as session:
                    ledger.spend(session, self.users[user].id, credits, id=self._name(id))
                outcome = "made"
            except (InsufficientCredits, TransferConflict) as error:
                outcome = "conflict" if isinstance(error, TransferConflict) else "insufficient"
        assert outcome == ("made" if expected == "again" else expected)

    @rule(several=st.lists(steps, min_size=2, max_size=5))
    def transfer_all(self, several: list[tuple[int, str, int, int]]) -> None:
        self._same_outcome(several)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.oracle.made:
            id = data.draw(st.sampled_from(sorted(self.oracle.made)))
            self._same_outcome([(id, *self.oracle.made[id])])

    @invariant()
    def balances_are_the_oracles(self) -> None:
        with self.app.app_context():
            found = [ledger.balance(db.session(), user.id) for user in self.users]
        assert found == list(self.oracle.balances.values())

    @invariant()
    def history_runs_through_the_same_balances(self) -> None:
        with self.app.app_context():
            for index, user in enumerate(self.users):
                rows = ledger.history(db.session(), user.id, limit=1_000)
                found = [(row.id, row.signed_credits, row.balance_after) for row in reversed(rows)]
                expected = [step for step in self.oracle.history if step[0] == index]
                assert found == [(self._name(id), *rest) for _, id, *rest in expected]

    @rule(limit=st.integers(1, 9))
    def seal(self, limit: int) -> None:
        with self.app.app_context(), transaction() as session:
            ledger.seal(session, limit)

    @invariant()
    def books_are_clean(self) -> None:
        books.assert_clean(self.app)

    def _same_outcome(self, steps: list[tuple[int, str, int, int]]) -> None:
        expected = self.oracle.apply_all(steps)
        orders = [Order(self._name(i), code, self.users[u].id, n) for i, code, u, n in steps]
        with self.app.app_context():
            try:
                with transaction() as session:
                    made = ledger.transfer_all(session, orders)
                    assert [row.id for row in made] == [order.id for order in orders]
                outcome = "made"
            except InsufficientCredits:
                outcome = "insufficient"
            except TransferConflict:
                outcome = "conflict"
        assert outcome == expected

    def _name(self, id: int) -> str:
        return f"{self.run}:{id}"


def test_the_ledger_does_what_the_oracle_says(app: Flask) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(app),
        settings=settings(
            max_examples=usually(4, thorough=20),
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
