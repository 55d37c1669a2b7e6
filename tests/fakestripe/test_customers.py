"""Customers: their life and the events it leaves."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import card_method, customer, payment_intent
from tests.fakestripe.harness import FakeStripe


def test_a_customer_is_created_changed_and_deleted(alone: FakeStripe) -> None:
    client = alone.client()
    made = customer(client, email="jo@example.com", name="Jo", address={"city": "Bern"})
    client.v1.customers.update(made.id, {"name": "Joan"})
    found = client.v1.customers.retrieve(made.id)
    assert (found.email, found.name) == ("jo@example.com", "Joan")
    deleted = client.v1.customers.delete(made.id)
    assert deleted.deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    assert client.v1.customers.list().data == []
    types = [event["type"] for event in alone.events()]
    assert types == ["customer.created", "customer.updated", "customer.deleted"]
    assert alone.events("customer.updated")[0]["data"]["previous_attributes"] == {"name": "Jo"}


def test_a_change_that_changes_nothing_is_no_event(alone: FakeStripe) -> None:
    client = alone.client()
    made = customer(client, name="Jo")
    client.v1.customers.update(made.id, {"name": "Jo"})
    assert alone.events("customer.updated") == []


def test_nothing_can_be_done_with_a_deleted_customer(client: stripe.StripeClient) -> None:
    made = customer(client)
    client.v1.customers.delete(made.id)
    for attempt in (
        lambda: client.v1.customers.update(made.id, {"name": "Jo"}),
        lambda: client.v1.customers.delete(made.id),
        lambda: payment_intent(client, customer=made.id),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
            attempt()


def test_customers_are_found_by_exact_email(client: stripe.StripeClient) -> None:
    made = customer(client, email="exact@example.com")
    customer(client, email="Exact@example.com")
    assert [c.id for c in client.v1.customers.list({"email": "exact@example.com"})] == [made.id]
    assert client.v1.customers.list({"email": "nobody@example.com"}).data == []


@pytest.mark.parametrize("email", ["jo", "@example.com", "jo@", "j" * 510 + "@x.y"])
def test_a_bad_email_is_refused(client: stripe.StripeClient, email: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        customer(client, email=email)
    assert caught.value.code == "email_invalid"


def test_deleting_detaches_the_payment_methods(client: stripe.StripeClient) -> None:
    made = customer(client)
    method = card_method(client, "4242424242424242")
    client.v1.payment_methods.attach(method.id, {"customer": made.id})
    client.v1.customers.delete(made.id)
    assert client.v1.payment_methods.retrieve(method.id).customer is None


def test_the_default_payment_method_must_be_the_customers(client: stripe.StripeClient) -> None:
    made = customer(client)
    method = card_method(client, "4242424242424242")
    settings: Any = {"invoice_settings": {"default_payment_method": method.id}}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(made.id, settings)


def test_what_is_not_offered_is_refused_by_name(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not offer the parameter source"):
        customer(client, source="tok_visa")
