"""Changes in the middle of a period, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.billing.shop import DAY, payer, price, product, subscribed, types_since
from tests.fakestripe.harness import FakeStripe


def item_of(subscription: Any) -> Any:
    return subscription["items"].data[0]


def half_way(subscription: Any) -> int:
    item = item_of(subscription)
    return int(item.current_period_start + item.current_period_end) // 2


def changed(client: stripe.StripeClient, subscription: Any, to: str | None, **params: Any) -> Any:
    """Change the price of the one item half-way through its period."""
    wanted: Any = {"id": item_of(subscription).id, **params.pop("item", {})}
    if to is not None:
        wanted["price"] = to
    given: Any = {"items": [wanted], "proration_date": half_way(subscription), **params}
    return client.v1.subscriptions.update(subscription.id, given)


def lines(client: stripe.StripeClient, invoice: Any) -> list[tuple[int, bool]]:
    """Return amount and proration of each line of an invoice."""
    found: Any = client.v1.invoices.retrieve(invoice).lines.data
    return [(line.amount, line.parent.subscription_item_details.proration) for line in found]


def test_an_upgrade_is_credited_and_charged_at_the_next_renewal(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    dear = price(client, 3000)
    start = len(alone.events())
    after = changed(client, made, dear.id)
    assert types_since(alone, start) == ["customer.subscription.updated"]
    assert after.latest_invoice == made.latest_invoice
    assert item_of(after).current_period_end == item_of(made).current_period_end
    preview: Any = client.v1.invoices.create_preview({"subscription": made.id})
    assert [line.amount for line in preview.lines.data] == [-500, 1500, 3000]
    alone.advance(32 * DAY)
    renewed: Any = client.v1.subscriptions.retrieve(made.id)
    assert lines(client, renewed.latest_invoice) == [(-500, True), (1500, True), (3000, False)]
    invoice: Any = client.v1.invoices.retrieve(renewed.latest_invoice)
    assert (invoice.total, invoice.amount_paid) == (4000, 4000)
    first = invoice.lines.data[0]
    assert (first.period.start, first.period.end) == (
        half_way(made), item_of(made).current_period_end,
    )  # fmt: skip
    assert "Unused time on Pro" in first.description
    alone.advance(31 * DAY)
    later: Any = client.v1.subscriptions.retrieve(made.id)
    assert lines(client, later.latest_invoice) == [(3000, False)]


def test_an_upgrade_can_be_invoiced_at_once(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    start = len(alone.events())
    after = changed(client, made, price(client, 3000).id, proration_behavior="always_invoice")
    invoice: Any = client.v1.invoices.retrieve(after.latest_invoice)
    assert (invoice.billing_reason, invoice.amount_paid) == ("subscription_update", 1000)
    assert lines(client, invoice.id) == [(-500, True), (1500, True)]
    seen = types_since(alone, start, "charge.updated", "product.", "price.")
    assert seen == [
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_downgrade_at_once_leaves_a_credit_for_the_next_invoice(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    made: Any = subscribed(client, customer, price(client, 3000).id)
    after = changed(client, made, price(client, 1000).id, proration_behavior="always_invoice")
    invoice: Any = client.v1.invoices.retrieve(after.latest_invoice)
    assert (invoice.total, invoice.amount_due, invoice.status) == (-1000, 0, "paid")
    assert (invoice.starting_balance, invoice.ending_balance) == (0, -1000)
    assert client.v1.customers.retrieve(customer).balance == -1000
    alone.advance(32 * DAY)
    renewed: Any = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (renewed.latest_invoice.total, renewed.latest_invoice.amount_paid) == (1000, 0)
    assert client.v1.customers.retrieve(customer).balance == 0
    before = alone.events("customer.updated")[-1]["data"]["previous_attributes"]
    assert before == {"balance": -1000}


def test_without_proration_only_the_next_period_changes(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    changed(client, made, price(client, 3000).id, proration_behavior="none")
    alone.advance(32 * DAY)
    renewed: Any = client.v1.subscriptions.retrieve(made.id)
    assert lines(client, renewed.latest_invoice) == [(3000, False)]


def test_monthly_to_yearly_begins_a_year_at_once(alone: FakeStripe) -> None:
    client = alone.client()
    sold = product(client)
    made: Any = subscribed(client, price_id=price(client, product=sold.id).id)
    yearly = price(client, 9000, "year", product=sold.id)
    moment = half_way(made)
    after = changed(client, made, yearly.id)
    invoice: Any = client.v1.invoices.retrieve(after.latest_invoice)
    assert lines(client, invoice.id) == [(-500, True), (9000, False)]
    assert invoice.amount_paid == 8500
    item = item_of(after)
    assert item.current_period_start == moment == after.billing_cycle_anchor
    assert 365 * DAY <= item.current_period_end - moment <= 366 * DAY
    back = changed(client, after, str(item_of(made).price.id))
    credit: Any = client.v1.invoices.retrieve(back.latest_invoice)
    assert lines(client, credit.id) == [(-4500, True), (1000, False)]
    assert (credit.amount_due, credit.ending_balance) == (0, -3500)


def test_a_quantity_is_prorated_too(client: stripe.StripeClient) -> None:
    made: Any = subscribed(client)
    after = changed(client, made, None, item={"quantity": 4}, proration_behavior="always_invoice")
    assert lines(client, after.latest_invoice) == [(-500, True), (2000, True)]
    assert item_of(after).quantity == 4


def test_a_lasting_discount_is_in_the_proration(client: stripe.StripeClient) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    made: Any = subscribed(client, discounts=[{"coupon": half.id}])
    after = changed(client, made, price(client, 3000).id, proration_behavior="always_invoice")
    invoice: Any = client.v1.invoices.retrieve(after.latest_invoice)
    assert lines(client, invoice.id) == [(-250, True), (750, True)]
    assert (invoice.total, invoice.total_discount_amounts) == (500, [])


def test_a_preview_shows_a_change_and_makes_none(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    made: Any = subscribed(client)
    dear = price(client, 3000)
    start = len(fakestripe.events())
    params: Any = {
        "subscription": made.id,
        "subscription_details": {
            "items": [{"id": item_of(made).id, "price": dear.id}],
            "proration_behavior": "always_invoice",
            "proration_date": half_way(made),
        },
    }
    shown: Any = client.v1.invoices.create_preview(params)
    assert (shown.amount_due, [line.amount for line in shown.lines.data]) == (1000, [-500, 1500])
    assert len(fakestripe.events()) == start
    after: Any = client.v1.subscriptions.retrieve(made.id)
    assert item_of(after).price.id == item_of(made).price.id


def test_a_change_in_a_trial_is_free(client: stripe.StripeClient) -> None:
    made: Any = subscribed(client, trial_period_days=14)
    after = changed(client, made, price(client, 3000).id, proration_behavior="always_invoice")
    assert (after.status, after.latest_invoice) == ("trialing", made.latest_invoice)
    ended: Any = client.v1.subscriptions.update(made.id, {"trial_end": "now"})
    invoice: Any = client.v1.invoices.retrieve(ended.latest_invoice)
    assert (ended.status, invoice.amount_paid) == ("active", 3000)


def test_a_declined_change_is_undone_or_past_due_as_asked(client: stripe.StripeClient) -> None:
    customer = payer(client)
    made: Any = subscribed(client, customer)
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    client.v1.subscriptions.update(made.id, {"default_payment_method": bad.id})
    dear = price(client, 3000)
    with pytest.raises(stripe.CardError):
        changed(client, made, dear.id, proration_behavior="always_invoice",
                payment_behavior="error_if_incomplete")  # fmt: skip
    kept: Any = client.v1.subscriptions.retrieve(made.id)
    assert (item_of(kept).price.id, kept.latest_invoice) == (
        item_of(made).price.id, made.latest_invoice,
    )  # fmt: skip
    after = changed(client, made, dear.id, proration_behavior="always_invoice")
    assert (after.status, item_of(after).price.id) == ("past_due", dear.id)
