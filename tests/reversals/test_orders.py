"""The same events in every order, told twice, all at once: always the same end."""

import json
from collections.abc import Callable
from functools import partial
from itertools import permutations

import pytest
from flask import Flask

from storefront import ledger
from storefront.db import db
from storefront.handlers import handle
from storefront.stripe_gateway import Event
from tests.support import books
from tests.support.builders import Customer, Json, Purchase, a_payment, event_of, paid
from tests.support.money_back import (
    a_dispute,
    a_paid_top_up,
    a_refund,
    disputed,
    moved_money,
    refunded,
)
from tests.support.races import at_once, raised
from tests.support.thoroughness import shared_out

Story = Callable[[Purchase], list[Json]]
NAMES = (
    "id",
    "user_id",
    "payment_id",
    "stripe_intent_id",
    "created_at",
    "updated_at",
    "due_by",
    "failure_reason",
)
MOMENTS = ("withdrawn_at", "reinstated_at", "closed_at")
MOVED = ("credits_taken", "credits_returned")
"""Which of two reversals took what both claim depends on the order; the sum does not."""


def a_refund_that_fails(bought: Purchase) -> list[Json]:
    refund = a_refund(bought, 400, "pending")
    return [
        paid(bought),
        refunded(refund),
        refunded(refund, "succeeded"),
        refunded(refund, "failed"),
    ]


def a_won_dispute(bought: Purchase) -> list[Json]:
    dispute = a_dispute(bought)
    return [
        paid(bought),
        disputed(dispute, "funds_withdrawn"),
        disputed(dispute, "closed", status="won"),
        disputed(dispute, "funds_reinstated", status="won"),
    ]


def a_refund_overtaken_by_a_dispute(bought: Purchase) -> list[Json]:
    """The pending refund fails, a part of what the bank took comes back."""
    refund, dispute = a_refund(bought, 300, "pending"), a_dispute(bought)
    back = {"status": "won", "balance_transactions": moved_money(-1000, 600)}
    return [
        refunded(refund),
        refunded(refund, "failed"),
        disputed(dispute, "funds_withdrawn"),
        disputed(dispute, "funds_reinstated", **back),
    ]


ENDS = {
    a_refund_that_fails: 1000,
    a_won_dispute: 1000,
    a_refund_overtaken_by_a_dispute: 600,
}
stories = pytest.mark.parametrize("story", ENDS, ids=lambda story: story.__name__)


@stories
def test_all_orders_end_alike(app: Flask, story: Story) -> None:
    """Each order for a customer of its own, two of the events told twice."""
    ends: dict[str, tuple[int, ...]] = {}
    for order in shared_out(permutations(range(4)), app):
        bought = a_payment(app) if _credits(story) else a_paid_top_up(app)
        events = [event_of(app, event) for event in story(bought)]
        with app.app_context():
            for number in (*order, order[0], order[2]):
                assert handle(events[number]).state == "handled"
            ends.setdefault(_state(bought, events), order)
    assert len(ends) == 1, ends
    assert json.loads(next(iter(ends)))["balance"] == ENDS[story]
    books.assert_clean(app)


def _credits(story: Story) -> bool:
    """Whether the payment's own event is part of the story."""
    return story is not a_refund_overtaken_by_a_dispute


@stories
def test_all_at_once_and_again_ends_alike(app: Flask, story: Story) -> None:
    for _ in range(1 if books.is_sqlite(app) else 4):
        bought = a_paid_top_up(app)
        events = [event_of(app, event) for event in story(bought)] * 2
        outcomes = at_once(app, [partial(handle, event) for event in events])
        assert raised(outcomes) == []
        _deliver_again(app, events)
        assert books.balance(app, bought.customer.id) == ENDS[story]
        assert _moved(app, bought.customer) == ENDS[story] - 1000
    books.assert_clean(app)


def _deliver_again(app: Flask, events: list[Event]) -> None:
    """As Stripe does with what was answered with a 500."""
    with app.app_context():
        assert {handle(event).state for event in events} == {"handled"}


def _moved(app: Flask, customer: Customer) -> int:
    moved = books.read(app).transfers_of(customer.id)
    signed = [it["credits"] * (1 if it["target"] == it["wallet"] else -1) for it in moved]
    return sum(signed) - 1000


def _state(bought: Purchase, events: list[Event]) -> str:
    """What is left of a payment and its reversals, without times and names."""
    objects = sorted({str(event.object["id"]) for event in events})
    (payment,) = _rows("payments", "id", bought.id)
    return json.dumps(
        {
            "balance": ledger.balance(db.session(), bought.customer.id),
            "payment": {name: payment[name] for name in payment if name not in NAMES},
            "reversals": sorted(
                [
                    {
                        name: bool(value) if name in MOMENTS else value
                        for name, value in row.items()
                        if name not in (*NAMES, *MOVED)
                    }
                    for table in ("refunds", "disputes")
                    for id in objects
                    for row in _rows(table, "id", id)
                ],
                key=lambda row: (row["amount"], row["status"]),
            ),
        },
        sort_keys=True,
        default=str,
    )


def _rows(table: str, column: str, value: str) -> list[books.Row]:
    query = db.text(f"SELECT * FROM {table} WHERE {column} = :value")
    return [dict(row) for row in db.session.execute(query, {"value": value}).mappings()]
