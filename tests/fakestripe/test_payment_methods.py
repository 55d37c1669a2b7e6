"""Payment methods: made, saved, and refused where Stripe refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import card_method, customer, paid
from tests.fakestripe.harness import FakeStripe


def refused_card(client: stripe.StripeClient, number: str, **card: Any) -> tuple[Any, Any]:
    with pytest.raises(stripe.CardError) as caught:
        card_method(client, number, **card)
    return caught.value.code, caught.value.param


@pytest.mark.parametrize(
    ("number", "card", "expected"),
    [
        ("4242424242424241", {}, ("incorrect_number", "card[number]")),
        ("42", {}, ("incorrect_number", "card[number]")),
        ("4242 4242 4242 424x", {}, ("incorrect_number", "card[number]")),
        ("4242424242424242", {"exp_year": 2020}, ("invalid_expiry_year", "card[exp_year]")),
        ("4242424242424242", {"exp_year": 20}, ("invalid_expiry_year", "card[exp_year]")),
        ("4242424242424242", {"exp_month": 13}, ("invalid_expiry_month", "card[exp_month]")),
        ("4242424242424242", {"cvc": "12"}, ("invalid_cvc", "card[cvc]")),
        ("4242424242424242", {"cvc": "1234"}, ("invalid_cvc", "card[cvc]")),
    ],
)
def test_a_bad_card_is_refused(
    client: stripe.StripeClient, number: str, card: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refused_card(client, number, **card) == expected


def test_the_expiry_follows_the_clock(alone: FakeStripe) -> None:
    client = alone.client()
    method = card_method(client, "4242424242424242", exp_year=2040)
    assert method.card is not None
    assert (method.card.exp_month, method.card.exp_year) == (12, 2040)
    for _ in range(3):
        alone.advance(5 * 365 * 24 * 3600)
    assert refused_card(client, "4242424242424242", exp_year=2040) == (
        "invalid_expiry_year",
        "card[exp_year]",
    )


def test_a_card_that_is_no_test_card_is_declined(client: stripe.StripeClient) -> None:
    method = card_method(client, "4539578763621486")
    with pytest.raises(stripe.CardError) as caught:
        paid(client, method.id)
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "test_mode_live_card"


def test_a_token_stands_for_a_card(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert method.card is not None
    assert method.card.last4 == "4242"
    assert paid(client, method.id).status == "succeeded"


def test_a_method_is_attached_listed_changed_and_detached(alone: FakeStripe) -> None:
    client = alone.client()
    buyer = customer(client)
    method = card_method(client, "5555555555554444")
    client.v1.payment_methods.attach(method.id, {"customer": buyer.id})
    client.v1.payment_methods.update(method.id, {"billing_details": {"name": "Jo"}})
    listed = client.v1.payment_methods.list({"customer": buyer.id, "type": "card"})
    nested = client.v1.customers.payment_methods.list(buyer.id)
    assert [m.id for m in listed] == [m.id for m in nested] == [method.id]
    client.v1.payment_methods.detach(method.id)
    assert client.v1.customers.payment_methods.list(buyer.id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        paid(client, method.id)
    types = [event["type"] for event in alone.events("payment_method.*")]
    assert types == [f"payment_method.{verb}" for verb in ("attached", "updated", "detached")]
    detached = alone.events("payment_method.detached")[0]
    assert detached["data"]["previous_attributes"] == {"customer": buyer.id}


def test_a_ready_made_id_is_a_new_method_each_time(client: stripe.StripeClient) -> None:
    one = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer(client).id})
    two = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer(client).id})
    assert one.id != two.id
    assert {one.id, two.id}.isdisjoint({"pm_card_visa"})


def test_a_declining_card_cannot_be_saved(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": buyer.id})
    assert caught.value.code == "card_declined"
    assert client.v1.customers.payment_methods.list(buyer.id).data == []
    saved = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": buyer.id})
    with pytest.raises(stripe.CardError):
        paid(client, saved.id, customer=buyer.id)


def test_a_method_used_once_is_used_up(client: stripe.StripeClient) -> None:
    method = card_method(client, "4242424242424242")
    paid(client, method.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        paid(client, method.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(method.id, {"customer": customer(client).id})


def test_a_saved_method_is_its_customers_alone(client: stripe.StripeClient) -> None:
    owner, other = customer(client), customer(client)
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner.id})
    assert paid(client, saved.id, customer=owner.id).status == "succeeded"
    assert paid(client, saved.id, customer=owner.id).status == "succeeded"
    attempts: list[Callable[[], Any]] = [
        lambda: paid(client, saved.id),
        lambda: paid(client, saved.id, customer=other.id),
        lambda: client.v1.payment_methods.attach(saved.id, {"customer": other.id}),
    ]
    for attempt in attempts:
        with pytest.raises(stripe.InvalidRequestError):
            attempt()


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "card"}, "card"),
        ({"card": {"number": "4242424242424242"}}, "type"),
        ({"type": "klarna", "klarna": {}}, "type"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}},
         "billing_details[name]"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573202"},
          "billing_details": {"name": "Jo", "email": "jo@x.y"}}, "sepa_debit[iban]"),
        ({"type": "us_bank_account", "billing_details": {"name": "Jo"},
          "us_bank_account": {"account_number": "000123456789", "routing_number": "1"}},
         "us_bank_account[routing_number]"),
        ({"type": "us_bank_account", "billing_details": {"name": "Jo"},
          "us_bank_account": {"account_number": "1", "routing_number": "110000000"}},
         "us_bank_account"),
    ],
)  # fmt: skip
def test_incomplete_details_are_refused(
    client: stripe.StripeClient, params: Any, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_methods.create(params)
    assert caught.value.param == param
