"""Subscriptions and invoices as they are at a real fakestripe, in the shapes of today's API."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from storefront.errors import NotFound
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.billing.shop import DAY, payer, price, product, subscribed
from tests.fakestripe.harness import FakeStripe


@pytest.fixture
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


def test_a_subscription(gateway: StripeGateway, client: stripe.StripeClient) -> None:
    customer = payer(client)
    monthly = price(client, 4900, lookup_key="premium_plan_monthly", metadata={"plan": "premium"})
    items = [{"price": monthly.id, "quantity": 2}]
    made = subscribed(client, customer, items=items, metadata={"user_id": "usr_1"})
    facts = gateway.retrieve_subscription(made.id)
    assert (facts.id, facts.customer_id, facts.user_id) == (made.id, customer, "usr_1")
    assert (facts.status, facts.quantity) == ("active", 2)
    item = made.items.data[0]
    assert facts.item_id == item.id
    assert facts.current_period_start == datetime.fromtimestamp(item.current_period_start, UTC)
    assert facts.current_period_end == datetime.fromtimestamp(item.current_period_end, UTC)
    assert (facts.cancel_at_period_end, facts.cancel_at, facts.ended_at) == (False, None, None)
    assert (facts.trial_start, facts.trial_end) == (None, None)
    assert facts.latest_invoice_id == made.latest_invoice
    assert (facts.price.id, facts.price.product_id) == (monthly.id, monthly.product)
    assert (facts.price.unit_amount, facts.price.currency) == (4900, "usd")
    assert (facts.price.interval, facts.price.lookup_key) == ("monthly", "premium_plan_monthly")
    assert (facts.price.plan, facts.price.plan_interval) == ("premium", None)


def test_a_cancellation_as_the_portal_makes_it(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = subscribed(client)
    end = made.items.data[0].current_period_end
    client.v1.subscriptions.update(made.id, {"cancel_at": end})
    facts = gateway.retrieve_subscription(made.id)
    assert facts.cancel_at == datetime.fromtimestamp(end, UTC)
    assert facts.status == "active"
    client.v1.subscriptions.cancel(made.id)
    over = gateway.retrieve_subscription(made.id)
    assert over.status == "canceled"
    assert over.ended_at is not None


def test_all_subscriptions_of_a_customer(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    customer = payer(client)
    first, second = subscribed(client, customer), subscribed(client, customer)
    subscribed(client)  # somebody else's
    client.v1.subscriptions.cancel(first.id)
    found = gateway.list_subscriptions(customer)
    assert {each.id: each.status for each in found} == {first.id: "canceled", second.id: "active"}


def test_what_is_unknown(gateway: StripeGateway) -> None:
    with pytest.raises(NotFound):
        gateway.retrieve_subscription("sub_unknown")
    with pytest.raises(NotFound):
        gateway.retrieve_invoice("in_unknown")
    assert gateway.list_subscriptions("cus_unknown") == []
    assert gateway.list_invoices("cus_unknown") == []


def test_a_paid_invoice(gateway: StripeGateway, client: stripe.StripeClient) -> None:
    made = subscribed(client)
    facts = gateway.retrieve_invoice(str(made.latest_invoice))
    shown: Any = client.v1.invoices.retrieve(facts.id, {"expand": ["payments"]})
    assert (facts.customer_id, facts.subscription_id) == (made.customer, made.id)
    assert (facts.status, facts.billing_reason) == ("paid", "subscription_create")
    assert (facts.total, facts.amount_due, facts.amount_paid) == (1000, 1000, 1000)
    assert (facts.currency, facts.number) == ("usd", shown.number)
    assert facts.intent_id == shown.payments.data[0].payment.payment_intent
    assert facts.hosted_invoice_url and facts.invoice_pdf
    assert facts.paid_at is not None and facts.paid_at >= facts.created
    [line] = facts.lines
    assert (line.amount, line.proration, line.quantity) == (1000, False, 1)
    assert line.subscription_id == made.id
    assert line.price_id == made.items.data[0].price.id
    assert line.period_end == gateway.retrieve_subscription(made.id).current_period_end


def test_an_invoice_that_could_not_be_paid(
    gateway: StripeGateway, client: stripe.StripeClient, fakestripe: FakeStripe
) -> None:
    customer = payer(client, "pm_card_chargeCustomerFail")
    subscribed(client, customer, trial_period_days=3)
    fakestripe.advance(4 * DAY)
    facts = gateway.list_invoices(customer)[-1]
    assert (facts.status, facts.attempt_count, facts.paid_at) == ("open", 1, None)
    assert facts.next_payment_attempt is not None
    assert facts.intent_id is not None, "the one that is to pay"


def test_a_change_of_plan_gives_back_and_takes(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    customer, item_of = payer(client), product(client).id
    small, large = price(client, 1000, product=item_of), price(client, 3000, product=item_of)
    made = subscribed(client, customer, small.id)
    change: Any = {
        "items": [{"id": made.items.data[0].id, "price": large.id}],
        "proration_behavior": "always_invoice",
    }
    client.v1.subscriptions.update(made.id, change)
    first, second = gateway.list_invoices(customer)
    assert first.billing_reason == "subscription_create", "the oldest comes first"
    back, taken = sorted(second.lines, key=lambda line: line.amount)
    assert (back.proration, taken.proration) == (True, True)
    assert back.amount < 0 < taken.amount
    assert (back.price_id, taken.price_id) == (small.id, large.id)
    assert back.subscription_id == taken.subscription_id == made.id
    client.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made.items.data[0].id, "price": small.id}],
            "proration_behavior": "always_invoice",
        },
    )
    assert gateway.list_invoices(customer)[-1].total < 0


def test_invoices_of_one_subscription(gateway: StripeGateway, client: stripe.StripeClient) -> None:
    customer = payer(client)
    one, other = subscribed(client, customer), subscribed(client, customer)
    assert len(gateway.list_invoices(customer)) == 2
    [mine] = gateway.list_invoices(customer, subscription_id=one.id)
    assert mine.subscription_id == one.id != other.id
