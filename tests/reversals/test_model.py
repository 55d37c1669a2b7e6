"""Random histories of one customer against an oracle that never saw an event: it knows who paid,
what was refunded, what failed and what a bank holds, and does sums with fractions of its own."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import books
from tests.support.builders import Json, Purchase, a_payment, a_user, paid
from tests.support.money_back import (
    a_dispute,
    a_refund,
    disputed,
    hears,
    moved_money,
    refunded,
)


@dataclass
class Truth:
    """A payment, and what is claimed of it at the end."""

    purchase: Purchase
    claims: int = 0
    events: list[Json] = field(default_factory=list)

    @property
    def credits(self) -> int:
        claimed = min(self.claims, self.purchase.amount)
        share = Fraction(self.purchase.credits * claimed, self.purchase.amount)
        return self.purchase.credits - floor(share)


refund_lives = st.tuples(
    st.integers(1, 1000),
    st.sampled_from(
        (
            ("succeeded",),
            ("pending", "succeeded"),
            ("pending", "failed"),
            ("pending", "succeeded", "failed"),
            ("requires_action", "canceled"),
            ("requires_action",),
        )
    ),
)
dispute_lives = st.tuples(
    st.integers(1, 1500), st.sampled_from(("inquiry", "lost", "won", "partly", "open"))
)
payments = st.tuples(
    st.integers(1, 3000),
    st.lists(refund_lives, max_size=3),
    st.lists(dispute_lives, max_size=2),
)


def refunds(truth: Truth, amount: int, life: tuple[str, ...]) -> None:
    refund = a_refund(truth.purchase, amount, life[0])
    truth.events += [refunded(refund), *(refunded(refund, status) for status in life[1:])]
    truth.claims += amount if life[-1] in ("pending", "succeeded") else 0


def disputes(truth: Truth, amount: int, end: str) -> None:
    dispute = a_dispute(truth.purchase, amount)
    if end == "inquiry":
        asked = [{"status": f"warning_{it}"} for it in ("needs_response", "closed")]
        truth.events += [disputed(dispute, "created", **asked[0])]
        truth.events += [disputed(dispute, "closed", **asked[1])]
        return
    back = {"won": amount, "partly": (amount + 1) // 2}.get(end, 0)
    truth.claims += amount - back
    truth.events += [disputed(dispute, "created"), disputed(dispute, "funds_withdrawn")]
    if back:
        moved: Any = {"status": "won", "balance_transactions": moved_money(-amount, back)}
        truth.events += [disputed(dispute, "funds_reinstated", **moved)]
    if end != "open":
        truth.events += [disputed(dispute, "closed", status="lost" if not back else "won")]


def test_balances_are_the_oracles_whatever_comes_in_whatever_order(app: Flask) -> None:
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(payments, min_size=1, max_size=2), st.randoms(use_true_random=False))
    def history(bought: list[Any], chance: Any) -> None:
        customer = a_user(app)
        truths = []
        for credits, refund_list, dispute_list in bought:
            truth = Truth(a_payment(app, customer, credits=credits))
            truth.events.append(paid(truth.purchase))
            for amount, life in refund_list:
                refunds(truth, amount, life)
            for amount, end in dispute_list:
                disputes(truth, amount, end)
            truths.append(truth)
        events = [event for truth in truths for event in truth.events]
        events += chance.sample(events, len(events) // 3)  # told twice
        chance.shuffle(events)
        assert set(hears(app, *events)) == {"handled"}
        assert books.balance(app, customer.id) == sum(truth.credits for truth in truths)

    history()
    books.assert_clean(app)
