"""Invoices that are finalized, paid, voided and written off by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe.billing import invoice_page
from storefront.fakestripe.errors import ApiError
from tests.fakestripe.billing.shop import (
    ALWAYS_3DS,
    DECLINED,
    card_details,
    on_page,
    payer,
    price,
    subscribed,
)
from tests.fakestripe.harness import FakeStripe


def open_invoice(client: stripe.StripeClient, **params: Any) -> Any:
    """Return the open first invoice of a subscription that nobody has paid yet."""
    made = subscribed(client, payment_behavior="default_incomplete", **params)
    return client.v1.invoices.retrieve(str(made.latest_invoice))


def data(number: str) -> Any:
    return card_details(number)["payment_method_data"]


def test_an_open_invoice_can_be_paid_only_once(client: stripe.StripeClient) -> None:
    invoice = open_invoice(client)
    assert (invoice.status, invoice.amount_remaining) == ("open", 1000)
    paid = client.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        client.v1.invoices.pay(invoice.id)


def test_a_declined_payment_leaves_the_invoice_open(client: stripe.StripeClient) -> None:
    invoice = open_invoice(client, customer=payer(client, "pm_card_chargeCustomerFail"))
    with pytest.raises(stripe.CardError) as caught:
        client.v1.invoices.pay(invoice.id)
    assert caught.value.code == "card_declined"
    assert client.v1.invoices.retrieve(invoice.id).status == "open"


def test_an_invoice_paid_elsewhere_counts_as_paid(client: stripe.StripeClient) -> None:
    invoice = open_invoice(client)
    paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe) == ("paid", 1000)
    assert client.v1.subscriptions.list({"customer": str(paid.customer)}).data[0].status == "active"


def test_voiding_cancels_the_payment(client: stripe.StripeClient) -> None:
    invoice = open_invoice(client)
    void = client.v1.invoices.void_invoice(invoice.id)
    assert void.status == "void"
    payment: Any = client.v1.invoice_payments.list({"invoice": invoice.id}).data[0]
    assert payment.status == "canceled"
    intent = client.v1.payment_intents.retrieve(payment.payment.payment_intent)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
    with pytest.raises(stripe.InvalidRequestError, match="is void"):
        client.v1.invoices.pay(invoice.id)


def test_an_uncollectible_invoice_can_still_be_paid(client: stripe.StripeClient) -> None:
    invoice = open_invoice(client)
    assert client.v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"
    assert client.v1.invoices.pay(invoice.id).status == "paid"


def test_a_renewals_draft_can_be_changed_and_finalized_early(alone: FakeStripe) -> None:
    client = alone.client()
    made: Any = subscribed(client)
    end = made["items"].data[0].current_period_end
    alone.advance(end - alone.control("clock")["now"] + 60)
    draft: Any = client.v1.invoices.list({"subscription": made.id, "status": "draft"}).data[0]
    assert (draft.number, draft.hosted_invoice_url) == (None, None)
    client.v1.invoices.update(draft.id, {"description": "Thank you"})
    assert alone.events("invoice.updated")[-1]["data"]["previous_attributes"] == {
        "description": None
    }
    final = client.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.description) == ("paid", "Thank you")
    assert final.hosted_invoice_url is not None and final.id in final.hosted_invoice_url
    alone.advance(7200)
    assert len(alone.events("invoice.finalized")) == 2


def test_lines_and_lists_can_be_paged(client: stripe.StripeClient) -> None:
    customer = payer(client)
    items = [{"price": price(client, 100 * n).id} for n in (7, 8, 9)]
    made: Any = subscribed(client, customer, items=items)
    listed = client.v1.invoices.line_items.list(made.latest_invoice, {"limit": 2})
    assert [line.amount for line in listed.data] == [700, 800] and listed.has_more
    rest = client.v1.invoices.line_items.list(
        made.latest_invoice, {"starting_after": listed.data[-1].id}
    )
    assert [line.amount for line in rest.data] == [900]
    subscribed(client, customer)
    assert len(client.v1.invoices.list({"customer": customer, "status": "paid"}).data) == 2


def test_the_page_of_an_invoice_takes_another_card(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    invoice = open_invoice(client, customer=payer(client, "pm_card_chargeCustomerFail"))
    with pytest.raises(ApiError, match="declined"):
        on_page(fakestripe, invoice_page.pay_invoice, invoice.id, data(DECLINED))
    asked = on_page(fakestripe, invoice_page.pay_invoice, invoice.id, data(ALWAYS_3DS))
    assert asked["status"] == "requires_action"
    done = on_page(fakestripe, invoice_page.pay_invoice, invoice.id, data("4242424242424242"))
    assert done == {"status": "paid"}
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
