"""Reading Stripe's JSON: what is not usable is refused with a sentence, never guessed, and never
stored where it does not fit."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from storefront.errors import Unprocessable
from storefront.stripe_gateway import (
    CheckoutSession,
    InvoiceFacts,
    PriceFacts,
    SubscriptionFacts,
)

Read = Callable[[dict[str, Any]], Any]
PRICE: dict[str, Any] = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "currency": "usd",
    "lookup_key": "premium_plan_monthly",
    "metadata": {},
    "product": "prod_1",
    "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    "type": "recurring",
    "unit_amount": 4900,
}
ITEM: dict[str, Any] = {
    "id": "si_1",
    "price": PRICE,
    "quantity": 1,
    "current_period_start": 1_700_000_000,
    "current_period_end": 1_702_592_000,
}
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "object": "subscription",
    "customer": "cus_1",
    "status": "active",
    "start_date": 1_700_000_000,
    "items": {"object": "list", "data": [ITEM]},
}
LINE: dict[str, Any] = {
    "id": "il_1",
    "object": "line_item",
    "amount": 4900,
    "period": {"start": 1_700_000_000, "end": 1_702_592_000},
}
INVOICE: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "status": "paid",
    "currency": "usd",
    "total": 4900,
    "amount_due": 4900,
    "amount_paid": 4900,
    "created": 1_700_000_000,
    "lines": {"object": "list", "data": [LINE]},
}
SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "mode": "payment",
    "status": "open",
    "payment_status": "unpaid",
}
KINDS: list[tuple[Read, dict[str, Any]]] = [
    (CheckoutSession.from_dict, SESSION),
    (PriceFacts.from_dict, PRICE),
    (SubscriptionFacts.from_dict, SUBSCRIPTION),
    (InvoiceFacts.from_dict, INVOICE),
]


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one field set; the path goes through objects and lists by dots."""
    made = copy.deepcopy(data)
    node: Any = made
    *way, last = path.split(".")
    for name in way:
        node = node[int(name)] if isinstance(node, list) else node[name]
    node[last] = value
    return made


@pytest.mark.parametrize(("read", "data"), KINDS)
def test_the_least_that_is_usable(read: Read, data: dict[str, Any]) -> None:
    assert read(data).id == data["id"]


@pytest.mark.parametrize(("read", "data"), KINDS)
@pytest.mark.parametrize("id", [None, "", 5, "x" * 5001, "a\0b", "\ud800", {"id": 1}])
def test_unusable_ids(read: Read, data: dict[str, Any], id: object) -> None:
    with pytest.raises(Unprocessable):
        read(changed(data, "id", id))


@pytest.mark.parametrize(("read", "data"), KINDS)
def test_another_kind_of_object(read: Read, data: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable, match="is not a"):
        read(changed(data, "object", "customer"))


@pytest.mark.parametrize(
    ("read", "data", "path", "value"),
    [
        (CheckoutSession.from_dict, SESSION, "amount_total", -1),
        (CheckoutSession.from_dict, SESSION, "amount_total", 1.5),
        (CheckoutSession.from_dict, SESSION, "status", None),
        (PriceFacts.from_dict, PRICE, "unit_amount", "4900"),
        (PriceFacts.from_dict, PRICE, "unit_amount", 2**63),
        (PriceFacts.from_dict, PRICE, "active", "yes"),
        (PriceFacts.from_dict, PRICE, "product", None),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items", None),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items.data", []),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items.data.0.current_period_end", None),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items.data.0.current_period_end", 10**17),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items.data.0.price", "price_1"),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "items.data.0.quantity", -1),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "customer", {"object": "customer"}),
        (SubscriptionFacts.from_dict, SUBSCRIPTION, "cancel_at_period_end", 1),
        (InvoiceFacts.from_dict, INVOICE, "total", None),
        (InvoiceFacts.from_dict, INVOICE, "amount_paid", -1),
        (InvoiceFacts.from_dict, INVOICE, "total", True),
        (InvoiceFacts.from_dict, INVOICE, "lines.data.0.amount", "4900"),
        (InvoiceFacts.from_dict, INVOICE, "lines.data.0.period", None),
    ],
)
def test_unusable_fields(read: Read, data: dict[str, Any], path: str, value: object) -> None:
    with pytest.raises(Unprocessable):
        read(changed(data, path, value))


def test_times_are_utc() -> None:
    facts = SubscriptionFacts.from_dict(SUBSCRIPTION)
    assert facts.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_period_ends_with_the_last_of_the_items() -> None:
    later = ITEM | {"id": "si_2", "current_period_end": 1_800_000_000}
    facts = SubscriptionFacts.from_dict(changed(SUBSCRIPTION, "items.data", [ITEM, later]))
    assert facts.item_id == "si_1"
    assert facts.current_period_end == datetime.fromtimestamp(1_800_000_000, UTC)


@pytest.mark.parametrize(
    ("recurring", "type", "interval"),
    [
        ({"interval": "month", "interval_count": 1}, "recurring", "monthly"),
        ({"interval": "year", "interval_count": 1}, "recurring", "yearly"),
        ({"interval": "month", "interval_count": 12}, "recurring", None),
        ({"interval": "month", "interval_count": 1, "usage_type": "metered"}, "recurring", None),
        (None, "one_time", "one_time"),
        (None, "recurring", None),
    ],
)
def test_intervals(recurring: object, type: str, interval: str | None) -> None:
    facts = PriceFacts.from_dict(PRICE | {"recurring": recurring, "type": type})
    assert facts.interval == interval


def test_a_price_in_tiers_has_no_amount() -> None:
    assert PriceFacts.from_dict(PRICE | {"unit_amount": None}).unit_amount is None


def test_objects_may_be_expanded() -> None:
    expanded = {"id": "cus_2", "object": "customer", "email": "jo@example.com"}
    assert SubscriptionFacts.from_dict(SUBSCRIPTION | {"customer": expanded}).customer_id == "cus_2"
    session = SESSION | {"payment_intent": {"id": "pi_2", "object": "payment_intent"}}
    assert CheckoutSession.from_dict(session).intent_id == "pi_2"


def test_a_line_that_was_added_to_a_subscriptions_invoice() -> None:
    """A one-time fee beside the plan: its parent is an invoice item."""
    parent = {
        "type": "invoice_item_details",
        "subscription_item_details": None,
        "invoice_item_details": {"subscription": "sub_1", "proration": True},
    }
    line = LINE | {"parent": parent, "amount": -200, "quantity": None}
    [facts] = InvoiceFacts.from_dict(changed(INVOICE, "lines.data", [line])).lines
    assert (facts.subscription_id, facts.proration, facts.amount) == ("sub_1", True, -200)
    assert facts.quantity == 1


def test_an_invoice_of_nothing_recurring() -> None:
    facts = InvoiceFacts.from_dict(INVOICE)
    assert (facts.subscription_id, facts.intent_id, facts.paid_at) == (None, None, None)
    assert facts.lines[0].price_id is None


@pytest.mark.parametrize(
    ("payments", "intent"),
    [
        ([("canceled", "pi_1"), ("paid", "pi_2")], "pi_2"),
        ([("open", "pi_1"), ("paid", "pi_2")], "pi_2"),
        ([("canceled", "pi_1"), ("open", "pi_2")], "pi_2"),
        ([("canceled", "pi_1")], None),
        ([("paid", None)], None),
        ([], None),
    ],
)
def test_what_paid_an_invoice(payments: list[tuple[str, str | None]], intent: str | None) -> None:
    data = [
        {"status": status, "payment": {"type": "payment_intent", "payment_intent": id}}
        for status, id in payments
    ]
    invoice = INVOICE | {"payments": {"object": "list", "data": data}}
    assert InvoiceFacts.from_dict(invoice).intent_id == intent
