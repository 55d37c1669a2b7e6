"""Subscriptions: how they begin, what changes them, and how they end."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.billing.shop import (
    DAY,
    payer,
    price,
    product,
    subscribed,
    types_since,
    use_card,
)
from tests.fakestripe.harness import FakeStripe


def now(fake: FakeStripe) -> int:
    return int(fake.control("clock")["now"])


def item_of(subscription: Any) -> Any:
    return subscription["items"].data[0]


def test_a_paid_start_tells_its_story_in_stripes_order(alone: FakeStripe) -> None:
    client = alone.client()
    customer, sold = payer(client), price(client)
    start = len(alone.events())
    made = subscribed(client, customer, sold.id)
    assert made.status == "active"
    assert types_since(alone, start) == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    created = alone.events("customer.subscription.created")[0]["data"]["object"]
    assert (created["status"], created["latest_invoice"]) == ("incomplete", made.latest_invoice)
    updated = alone.events("customer.subscription.updated")[0]["data"]
    assert updated["previous_attributes"] == {"status": "incomplete"}
    alone.advance(20)
    assert alone.events("invoice_payment.paid")


def test_the_period_stands_on_the_items_and_the_parent_on_the_invoice(
    client: stripe.StripeClient,
) -> None:
    made: Any = subscribed(client, metadata={"plan": "pro"})
    item = item_of(made)
    assert item.current_period_end - item.current_period_start in (28 * DAY, 29 * DAY, 30 * DAY,
                                                                   31 * DAY)  # fmt: skip
    assert "current_period_end" not in made
    invoice: Any = client.v1.invoices.retrieve(made.latest_invoice)
    details = invoice.parent.subscription_details
    assert (details.subscription, details.metadata.to_dict()) == (made.id, {"plan": "pro"})
    line = invoice.lines.data[0]
    assert line.pricing.price_details.price == item.price.id
    assert line.parent.subscription_item_details.subscription_item == item.id
    assert (line.period.start, line.period.end) == (
        item.current_period_start, item.current_period_end,
    )  # fmt: skip
    assert invoice.billing_reason == "subscription_create"
    assert made.billing_mode.type == "flexible"


def test_an_invoice_and_its_payment_intent_are_linked_both_ways(
    client: stripe.StripeClient,
) -> None:
    made: Any = subscribed(client, expand=["latest_invoice.payments"])
    payment = made.latest_invoice.payments.data[0].payment
    listed = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": payment.payment_intent}}
    )
    assert [one.invoice for one in listed.data] == [made.latest_invoice.id]
    assert client.v1.payment_intents.retrieve(payment.payment_intent).status == "succeeded"


def test_without_a_card_nothing_begins(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "jo@example.com"})
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribed(client, customer.id)
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []


def test_a_declined_start_is_incomplete_and_expires_after_23_hours(alone: FakeStripe) -> None:
    client = alone.client()
    made = subscribed(client, payer(client, "pm_card_chargeCustomerFail"))
    assert made.status == "incomplete"
    assert alone.events("invoice.payment_failed")[-1]["data"]["object"]["id"] == made.latest_invoice
    alone.advance(22 * 3600)
    assert client.v1.subscriptions.retrieve(made.id).status == "incomplete"
    alone.advance(2 * 3600)
    assert client.v1.subscriptions.retrieve(made.id).status == "incomplete_expired"
    assert client.v1.invoices.retrieve(str(made.latest_invoice)).status == "void"
    assert alone.events("invoice.voided")


def test_error_if_incomplete_leaves_nothing_behind(client: stripe.StripeClient) -> None:
    customer = payer(client, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as caught:
        subscribed(client, customer, payment_behavior="error_if_incomplete")
    assert caught.value.code == "card_declined"
    assert client.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []
    assert client.v1.invoices.list({"customer": customer}).data == []


def test_default_incomplete_is_paid_by_the_browser(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "jo@example.com"})
    made: Any = subscribed(
        client, customer.id, payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret"],
    )  # fmt: skip
    secret = made.latest_invoice.confirmation_secret.client_secret
    assert (made.status, made.latest_invoice.status) == ("incomplete", "open")
    client.v1.payment_intents.confirm(
        secret.partition("_secret_")[0], {"payment_method": "pm_card_visa"}
    )
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_a_start_that_needs_authentication_waits_for_it(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client, payer(client, "pm_card_authenticationRequired"))
    assert made.status == "incomplete"
    assert alone.events("invoice.payment_action_required")
    secret = client.v1.invoices.retrieve(
        made.latest_invoice, {"expand": ["confirmation_secret"]}
    ).confirmation_secret
    assert secret is not None
    intent = secret.client_secret.partition("_secret_")[0]
    answer = alone.session.post(
        f"{alone.url}/_3ds/{intent}/complete", data={"client_secret": secret.client_secret},
        timeout=10,
    )  # fmt: skip
    assert answer.ok
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_a_trial_costs_nothing_and_warns_three_days_before_it_ends(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client, trial_period_days=7)
    assert (made.status, made.trial_end - made.trial_start) == ("trialing", 7 * DAY)
    invoice: Any = client.v1.invoices.retrieve(made.latest_invoice)
    assert (invoice.status, invoice.total, invoice.payments) == ("paid", 0, None)
    alone.advance(3.9 * DAY)
    assert not alone.events("customer.subscription.trial_will_end")
    alone.advance(0.2 * DAY)
    told = alone.events("customer.subscription.trial_will_end")
    assert [event["created"] for event in told] == [made.trial_end - 3 * DAY]
    alone.advance(3 * DAY + 3700)
    found: Any = client.v1.subscriptions.retrieve(made.id)
    assert (found.status, item_of(found).current_period_start) == ("active", made.trial_end)
    paid = alone.events("invoice.paid")[-1]["data"]["object"]
    assert (paid["billing_reason"], paid["amount_paid"]) == ("subscription_cycle", 1000)
    assert len(alone.events("customer.subscription.trial_will_end")) == 1


@pytest.mark.parametrize(
    ("ending", "status", "event"),
    [("cancel", "canceled", "customer.subscription.deleted"),
     ("pause", "paused", "customer.subscription.paused"),
     ("create_invoice", "past_due", "invoice.payment_failed")],
)  # fmt: skip
def test_a_trial_without_a_card_ends_as_its_settings_say(
    alone: FakeStripe, ending: str, status: str, event: str
) -> None:
    client = alone.client()
    customer = client.v1.customers.create({"email": "jo@example.com"})
    settings = {"end_behavior": {"missing_payment_method": ending}}
    made = subscribed(client, customer.id, trial_period_days=1, trial_settings=settings)
    alone.advance(DAY + 3700)
    found: Any = client.v1.subscriptions.retrieve(made.id)
    assert found.status == status
    assert len(alone.events(event)) == 1
    if status == "paused":
        why = found.status_details.paused.subscription.type
        assert why == "trial_end_without_payment_method"


def test_cancelling_at_the_period_end_can_be_taken_back(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    end = item_of(made).current_period_end
    changed = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert (changed.cancel_at_period_end, changed.cancel_at) == (True, end)
    back = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (back.cancel_at_period_end, back.cancel_at, back.canceled_at) == (False, None, None)
    client.v1.subscriptions.update(made.id, {"cancel_at": "min_period_end"})
    alone.advance(32 * DAY)
    found = client.v1.subscriptions.retrieve(made.id)
    assert (found.status, found.ended_at) == ("canceled", end)
    assert len(client.v1.invoices.list({"subscription": made.id}).data) == 1
    assert found.cancellation_details is not None
    assert found.cancellation_details.reason == "cancellation_requested"


def test_cancelling_now_can_give_money_back_as_a_credit(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    made: Any = subscribed(client, customer)
    start, end = item_of(made).current_period_start, item_of(made).current_period_end
    alone.advance((end - start) / 2)
    client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    assert client.v1.customers.retrieve(customer).balance == -500
    assert alone.events("customer.subscription.deleted")[-1]["data"]["object"]["id"] == made.id
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        client.v1.subscriptions.cancel(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})


def test_a_paused_subscription_is_not_billed_until_it_is_resumed(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    held: Any = client.v1.subscriptions.pause(made.id)
    assert held.status_details.paused.subscription.type == "pause_requested"
    alone.advance(70 * DAY)
    assert len(client.v1.invoices.list({"subscription": made.id}).data) == 1
    resumed: Any = client.v1.subscriptions.resume(made.id)
    assert (resumed.status, resumed.status_details) == ("active", None)
    assert abs(item_of(resumed).current_period_start - now(alone)) < 60
    assert len(client.v1.invoices.list({"subscription": made.id}).data) == 2
    assert len(alone.events("customer.subscription.resumed")) == 1


def test_resuming_waits_for_the_money(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    made = subscribed(client, customer)
    client.v1.subscriptions.pause(made.id)
    alone.advance(40 * DAY)
    use_card(client, customer, "pm_card_chargeCustomerFail")
    waiting: Any = client.v1.subscriptions.resume(made.id)
    assert waiting.status == "paused"
    client.v1.invoices.pay(waiting.latest_invoice, {"payment_method": "pm_card_visa"})
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_subscriptions_are_listed_by_customer_price_and_status(
    client: stripe.StripeClient,
) -> None:
    customer, sold = payer(client), price(client)
    one = subscribed(client, customer, sold.id)
    other = subscribed(client, customer)
    client.v1.subscriptions.cancel(other.id)

    def ids(**params: Any) -> set[str]:
        given: Any = {"customer": customer, **params}
        return {found.id for found in client.v1.subscriptions.list(given).data}

    assert ids() == {one.id}
    assert ids(status="all") == {one.id, other.id}
    assert ids(status="canceled") == ids(status="ended") == {other.id}
    assert ids(price=sold.id) == {one.id}
    end = item_of(one).current_period_end
    assert ids(current_period_end={"gte": end}) == {one.id}
    assert ids(current_period_end={"gt": end}) == set()


def test_items_can_be_added_changed_and_removed(client: stripe.StripeClient) -> None:
    made: Any = subscribed(client)
    extra = price(client, 300)
    params: Any = {"subscription": made.id, "price": extra.id, "quantity": 2}
    added = client.v1.subscription_items.create(params)
    listed = client.v1.subscription_items.list({"subscription": made.id}).data
    assert [one.id for one in listed] == [item_of(made).id, added.id]
    changed = client.v1.subscription_items.update(added.id, {"quantity": 5})
    assert client.v1.subscription_items.retrieve(added.id).quantity == changed.quantity == 5
    client.v1.subscription_items.delete(added.id)
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        client.v1.subscription_items.delete(item_of(made).id)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"items": []}, "items"),
        ({"items": [{"price": "price_missing"}]}, "items[0][price]"),
        ({"trial_period_days": 0}, "trial_period_days"),
        ({"collection_method": "send_invoice"}, "collection_method"),
        ({"default_payment_method": "pm_missing"}, "default_payment_method"),
        ({"cancel_at": 1000}, "cancel_at"),
        ({"discounts": [{"coupon": "missing"}]}, "discounts[0][coupon]"),
        ({"transfer_data": {"destination": "acct_1"}}, "transfer_data"),
    ],
)
def test_a_bad_subscription_is_refused(
    client: stripe.StripeClient, params: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        subscribed(client, **params)
    assert caught.value.param == param


def test_a_one_time_price_is_no_subscription(client: stripe.StripeClient) -> None:
    once = price(client, 4900, None, product=product(client).id)
    with pytest.raises(stripe.InvalidRequestError, match="one_time"):
        subscribed(client, price_id=once.id)


def test_a_trial_that_is_ended_without_a_card_pauses_if_so_wished(alone: FakeStripe) -> None:
    client = alone.client()
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    customer = client.v1.customers.create({"email": "jo@example.com"}).id
    made = subscribed(client, customer, trial_period_days=7, trial_settings=settings)
    given: Any = {"trial_end": "now", "metadata": {"asked": "by mail"}}
    after = client.v1.subscriptions.update(made.id, given)
    assert (after.status, after.metadata["asked"]) == ("paused", "by mail")
    assert len(alone.events("customer.subscription.paused")) == 1
