"""What happens by itself when the clock is moved: renewals, retries, recoveries, ends."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakestripe.billing.shop import (
    DAY,
    page,
    payer,
    price,
    subscribed,
    types_since,
    use_card,
)
from tests.fakestripe.harness import FakeStripe, Receiver


def item_of(subscription: Any) -> Any:
    return subscription["items"].data[0]


def story(fake: FakeStripe, start: int) -> list[str]:
    """Return the events of billing alone, without the balance's late bookings."""
    return types_since(fake, start, "charge.updated", "invoice_payment.", "payment_method.")


def test_a_month_later_the_subscription_is_renewed(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    end = item_of(made).current_period_end
    start = len(alone.events())
    alone.advance(32 * DAY)
    assert story(alone, start) == [
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    events = alone.events()[start:]
    moments = {event["type"]: event["created"] for event in events}
    assert moments["invoice.created"] == end
    assert 3600 <= moments["invoice.paid"] - end <= 3605
    assert [e["created"] for e in events] == sorted(e["created"] for e in events)
    found: Any = client.v1.subscriptions.retrieve(made.id)
    assert item_of(found).current_period_start == end
    moved = next(e for e in events if e["type"] == "customer.subscription.updated")["data"]
    before = moved["previous_attributes"]
    assert before["items"]["data"][0]["current_period_end"] == end
    assert before["latest_invoice"] == made.latest_invoice
    invoice = next(e for e in events if e["type"] == "invoice.created")["data"]["object"]
    assert (invoice["status"], invoice["automatically_finalizes_at"]) == ("draft", end + 3600)
    assert (invoice["period_start"], invoice["period_end"]) == (
        item_of(made).current_period_start, end,
    )  # fmt: skip


def test_two_years_bring_every_invoice_at_its_own_time(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    monthly: Any = subscribed(client, customer)
    yearly: Any = subscribed(client, customer, price(client, 9000, "year").id)
    alone.advance(2 * 366 * DAY)
    months = client.v1.invoices.list({"subscription": monthly.id, "limit": 100}).data
    years = client.v1.invoices.list({"subscription": yearly.id, "limit": 100}).data
    assert (len(months), len(years)) == (25, 3)
    assert {invoice.status for invoice in [*months, *years]} == {"paid"}
    anchor = datetime.fromtimestamp(monthly.billing_cycle_anchor, UTC)
    starts = [datetime.fromtimestamp(i.lines.data[0].period.start, UTC) for i in months]
    assert all(start.time() == anchor.time() for start in starts)
    assert len({(start.year, start.month) for start in starts}) == 25
    numbers = [int(str(i.number).rpartition("-")[2]) for i in [*months, *years]]
    assert sorted(numbers) == list(range(1, 29))


def failing(fake: FakeStripe, method: str = "pm_card_chargeCustomerFail") -> Any:
    """Return a subscription whose first renewal has just failed."""
    client = fake.client()
    customer = payer(client)
    made: Any = subscribed(client, customer)
    use_card(client, customer, method)
    fake.advance(item_of(made).current_period_end - fake.control("clock")["now"] + 3700)
    return client.v1.subscriptions.retrieve(made.id)


def test_a_failed_renewal_is_retried_after_3_5_and_7_days_and_then_cancelled(
    alone: FakeStripe,
) -> None:
    late = failing(alone)
    assert late.status == "past_due"
    start = len(alone.events())
    alone.advance(16 * DAY)
    failed = alone.events("invoice.payment_failed")
    moments = [event["created"] for event in failed]
    days = [round((b - a) / DAY) for a, b in itertools.pairwise(moments)]
    assert days == [3, 5, 7]
    assert [e["data"]["object"]["attempt_count"] for e in failed] == [1, 2, 3, 4]
    plans = [e["data"]["object"]["next_payment_attempt"] for e in failed]
    assert plans[:3] == pytest.approx(moments[1:], abs=2) and plans[3] is None
    assert story(alone, start) == [
        *["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"] * 3,
        "customer.subscription.deleted",
    ]
    ended: Any = alone.client().v1.subscriptions.retrieve(late.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details.reason == "payment_failed"
    assert alone.client().v1.invoices.retrieve(ended.latest_invoice).status == "open"


@pytest.mark.parametrize("setting", ["unpaid", "past_due"])
def test_the_end_of_the_retries_can_be_set(alone: FakeStripe, setting: str) -> None:
    alone.control("dunning", {"end": setting})
    late = failing(alone)
    alone.advance(16 * DAY)
    client = alone.client()
    assert client.v1.subscriptions.retrieve(late.id).status == setting
    alone.advance(32 * DAY)
    newest: Any = client.v1.invoices.list({"subscription": late.id}).data[0]
    assert newest.status == ("draft" if setting == "unpaid" else "open")
    if setting == "unpaid":
        client.v1.invoices.pay(newest.id, {"payment_method": "pm_card_visa"})
        assert client.v1.subscriptions.retrieve(late.id).status == "active"


def test_a_new_card_recovers_at_the_next_retry(alone: FakeStripe) -> None:
    late = failing(alone)
    client = alone.client()
    use_card(client, late.customer, "pm_card_visa")
    start = len(alone.events())
    alone.advance(3 * DAY)
    assert story(alone, start) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    assert client.v1.subscriptions.retrieve(late.id).status == "active"
    alone.advance(20 * DAY)
    assert len(alone.events("invoice.payment_failed")) == 1


def test_paying_the_invoice_recovers_at_once(alone: FakeStripe) -> None:
    late = failing(alone)
    client = alone.client()
    client.v1.invoices.pay(late.latest_invoice, {"payment_method": "pm_card_visa"})
    assert client.v1.subscriptions.retrieve(late.id).status == "active"


def test_a_renewal_that_needs_authentication_asks_for_it(alone: FakeStripe) -> None:
    late = failing(alone, "pm_card_authenticationRequired")
    assert late.status == "past_due"
    asked = alone.events("invoice.payment_action_required")[-1]["data"]["object"]
    assert asked["id"] == late.latest_invoice
    client = alone.client()
    invoice: Any = client.v1.invoices.retrieve(
        late.latest_invoice, {"expand": ["confirmation_secret", "payments"]}
    )
    intent = invoice.payments.data[0].payment.payment_intent
    assert client.v1.payment_intents.retrieve(intent).status == "requires_action"
    secret = invoice.confirmation_secret.client_secret
    alone.session.post(
        f"{alone.url}/_3ds/{intent}/complete", data={"client_secret": secret}, timeout=10
    ).raise_for_status()
    assert client.v1.subscriptions.retrieve(late.id).status == "active"


def test_a_card_that_was_set_up_renews_without_a_question(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client, "pm_card_authenticationRequiredSetupForOffSession")
    made = subscribed(client, customer)
    assert made.status == "active"
    alone.advance(32 * DAY)
    assert not alone.events("invoice.payment_action_required")
    assert len(alone.events("invoice.paid")) == 2


def test_a_discount_for_some_months_ends_by_itself(alone: FakeStripe) -> None:
    client = alone.client()
    three = client.v1.coupons.create(
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 3}
    )
    once = client.v1.coupons.create({"amount_off": 100, "currency": "usd"})
    discounts = [{"coupon": three.id}, {"coupon": once.id}]
    made = subscribed(client, discounts=discounts)
    alone.advance(150 * DAY)
    totals = [i.total for i in client.v1.invoices.list({"subscription": made.id}).data][::-1]
    assert totals == [400, 500, 500, 1000, 1000]


def test_the_clock_survives_a_month_with_a_busy_receiver(
    alone: FakeStripe, receiver: Receiver
) -> None:
    alone.register_webhook(receiver.url)
    client = alone.client()
    made = subscribed(client)
    alone.control("webhook_faults", {"kind": "shuffled", "type": "*", "count": 5})
    alone.control("webhook_faults", {"kind": "twice", "type": "invoice.paid"})
    alone.advance(32 * DAY)
    alone.drain()
    sent = sorted(event["id"] for event in alone.events())
    assert {r.body for r in receiver.received}
    types = receiver.types()
    assert len(types) >= len(sent) and types.count("invoice.paid") >= 3
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_the_end_of_january_is_billed_at_every_months_end(alone: FakeStripe) -> None:
    client = alone.client()
    today = datetime.fromtimestamp(alone.control("clock")["now"], UTC)
    first = datetime(today.year + 1, 1, 31, 12, tzinfo=UTC)
    made = subscribed(client, trial_end=int(first.timestamp()))
    alone.advance(first.timestamp() - alone.control("clock")["now"] + 100 * DAY)
    invoices: Any = client.v1.invoices.list({"subscription": made.id}).data[::-1]
    starts = [datetime.fromtimestamp(i.lines.data[0].period.start, UTC) for i in invoices[1:]]
    leap = (datetime(today.year + 1, 3, 1, tzinfo=UTC) - first).days == 29
    february = (2, 29) if leap else (2, 28)
    assert [(s.month, s.day) for s in starts] == [(1, 31), february, (3, 31), (4, 30)]
    assert {start.hour for start in starts} == {12}


def test_deleting_a_customer_ends_its_subscriptions(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    made = subscribed(client, customer)
    client.v1.customers.delete(customer)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert len(alone.events("customer.subscription.deleted")) == 1
    alone.advance(32 * DAY)
    assert len(alone.events("invoice.created")) == 1


def test_the_setting_for_the_end_is_checked_shown_and_forgotten(alone: FakeStripe) -> None:
    assert alone.control("dunning") == {"end": "canceled"}
    answer = alone.session.post(f"{alone.url}/_control/dunning", json={"end": "never"}, timeout=10)
    assert (answer.status_code, "end must be one of" in answer.json()["error"]) == (400, True)
    alone.control("dunning", {"end": "unpaid"})
    assert alone.control("state")["dunning_end"] == "unpaid"
    alone.control("reset", {})
    assert alone.control("dunning") == {"end": "canceled"}


def test_changes_leave_no_timers_behind_that_breed(alone: FakeStripe) -> None:
    client = alone.client()
    made = subscribed(client)
    for _ in range(5):
        client.v1.subscriptions.update(made.id, {"cancel_at": made.created + 20 * DAY})
        client.v1.subscriptions.update(made.id, {"cancel_at": ""})
    alone.advance(400 * DAY)
    with page(alone) as work:
        sql = "SELECT COUNT(*) FROM timers WHERE object = ?"
        assert work.tx.execute(sql, (made.id,)).fetchone() == (1,)
