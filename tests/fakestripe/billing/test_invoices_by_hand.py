"""Invoices that are made from invoice items, without a subscription."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.billing.shop import billed, item_on, payer, price
from tests.fakestripe.harness import FakeStripe

HOUR = 3600


def test_items_wait_for_an_invoice_and_are_billed_once(client: stripe.StripeClient) -> None:
    customer = payer(client)
    unit = price(client, 700, None)
    of_price: Any = {"customer": customer, "pricing": {"price": unit.id}, "quantity": 2}
    items = [item_on(client, customer).id, client.v1.invoice_items.create(of_price).id]
    waiting = client.v1.invoice_items.list({"customer": customer, "pending": True})
    assert {item.id for item in waiting.data} == set(items)
    invoice = billed(client, customer, description="By hand")
    assert (invoice.status, invoice.amount_due, invoice.billing_reason) == ("draft", 3400, "manual")
    lines: Any = invoice.lines.data
    assert {line.parent.invoice_item_details.invoice_item for line in lines} == set(items)
    assert client.v1.invoice_items.list({"invoice": invoice.id}).data
    assert billed(client, customer).amount_due == 0


def test_what_is_not_wanted_stays_for_the_next(client: stripe.StripeClient) -> None:
    customer = payer(client)
    item_on(client, customer)
    assert client.v1.invoices.create({"customer": customer}).amount_due == 0
    assert billed(client, customer).amount_due == 2000


def test_it_is_paid_by_the_customers_card(client: stripe.StripeClient) -> None:
    customer = payer(client)
    item_on(client, customer)
    paid = client.v1.invoices.pay(billed(client, customer).id)
    assert (paid.status, paid.amount_paid) == ("paid", 2000)


def test_it_advances_by_itself_only_when_asked(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    item_on(client, customer)
    left = billed(client, customer)
    item_on(client, customer)
    advancing = billed(client, customer, auto_advance=True)
    alone.advance(HOUR + 1)
    assert client.v1.invoices.retrieve(left.id).status == "draft"
    assert client.v1.invoices.retrieve(advancing.id).status == "paid"


def test_an_item_is_taken_back_until_it_is_billed(client: stripe.StripeClient) -> None:
    customer = payer(client)
    gone, stays = item_on(client, customer), item_on(client, customer)
    assert client.v1.invoice_items.delete(gone.id).deleted
    billed(client, customer)
    with pytest.raises(stripe.InvalidRequestError, match="on an invoice already"):
        client.v1.invoice_items.delete(stays.id)


def test_a_payment_that_needs_authentication_waits_for_it(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client, "pm_card_threeDSecure2Required")
    item_on(client, customer)
    invoice = billed(client, customer)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert len(alone.events("invoice.payment_action_required")) == 1
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
