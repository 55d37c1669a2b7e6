"""Parameters are held to the SDK's own TypedDicts, and refused in Stripe's words."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe
from stripe._request_options import RequestOptions
from stripe.params import PaymentIntentCreateParams

from storefront.fakestripe.nouns import ENDPOINTS
from storefront.fakestripe.params import fields_of
from tests.fakestripe.builders import card_method, customer, payment_intent
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]
INTENT = {"amount": "1000", "currency": "usd"}


def post(fake: FakeStripe, path: str, params: JSON) -> requests.Response:
    headers = {"Authorization": "Bearer sk_test_fakestripe"}
    return requests.post(f"{fake.url}/v1/{path}", data=params, headers=headers, timeout=10)


def refusal(fake: FakeStripe, path: str, params: JSON) -> JSON:
    answer = post(fake, path, params)
    assert answer.status_code == 400, answer.text
    error: JSON = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


def test_an_older_version_may_still_name_payment_method_types(fakestripe: FakeStripe) -> None:
    params = {**INTENT, "payment_method_types[]": "card"}
    for headers in ({"Stripe-Version": "2026-08-26.dahlia"}, {"User-Agent": "stripe-cli/1.52.0"}):
        known = {"Authorization": "Bearer sk_test_fakestripe", **headers}
        url = f"{fakestripe.url}/v1/payment_intents"
        answer = requests.post(url, data=params, headers=known, timeout=10)
        assert answer.json()["payment_method_types"] == ["card"], answer.text


def test_the_allow_list_is_the_sdks() -> None:
    allowed = set(fields_of(PaymentIntentCreateParams).shapes)
    declared = set(PaymentIntentCreateParams.__annotations__) - set(RequestOptions.__annotations__)
    assert allowed == declared
    assert fields_of(PaymentIntentCreateParams).required == {"amount", "currency"}


def test_every_endpoints_parameters_can_be_read() -> None:
    for endpoint in ENDPOINTS:
        assert fields_of(endpoint.params).shapes is not None
    assert len(ENDPOINTS) > 25


@pytest.mark.parametrize(
    ("params", "code", "param", "message"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount", "Missing required param: amount."),
        ({"amount": "5"}, "parameter_missing", "currency", "Missing required param: currency."),
        ({**INTENT, "foo": "1"}, "parameter_unknown", "foo", "Received unknown parameter: foo"),
        (
            {**INTENT, "shipping[foo]": "1"},
            "parameter_unknown",
            "shipping[foo]",
            "Received unknown parameter: shipping[foo]",
        ),
        (
            {**INTENT, "shipping[name]": "Jo"},
            "parameter_missing",
            "shipping[address]",
            "Missing required param: shipping[address].",
        ),
        (
            {**INTENT, "amount": "ten"},
            "parameter_invalid_integer",
            "amount",
            "Invalid integer: ten",
        ),
        (
            {**INTENT, "amount": "1e3"},
            "parameter_invalid_integer",
            "amount",
            "Invalid integer: 1e3",
        ),
        ({**INTENT, "amount": "٣٠٠"}, "parameter_invalid_integer", "amount", None),
        ({**INTENT, "confirm": "maybe"}, None, "confirm", "Invalid boolean: maybe"),
        (
            {**INTENT, "capture_method": "later"},
            None,
            "capture_method",
            "Invalid capture_method: must be one of automatic, automatic_async, or manual",
        ),
        ({**INTENT, "metadata": "x"}, None, "metadata", "Invalid object"),
        ({**INTENT, "expand": "latest_charge"}, None, "expand", "Invalid array"),
        ({**INTENT, "description[a]": "x"}, None, "description", None),
        ({**INTENT, "customer": ""}, "parameter_invalid_empty", "customer", None),
        ({**INTENT, "customer": "cus_x"}, "resource_missing", "customer",
         "No such customer: 'cus_x'"),
        (
            {**INTENT, "payment_method": "pm_x"},
            "resource_missing",
            "payment_method",
            "No such PaymentMethod: 'pm_x'",
        ),
        ({**INTENT, "currency": "zzz"}, None, "currency", None),
        ({**INTENT, "amount": "0"}, "parameter_invalid_integer", "amount", None),
        (
            {**INTENT, "amount": "49"},
            "amount_too_small",
            "amount",
            "Amount must be at least $0.50 usd",
        ),
        ({**INTENT, "amount": "100000000"}, "amount_too_large", "amount", None),
        ({**INTENT, "amount": "9" * 40}, "parameter_invalid_integer", "amount", None),
        ({**INTENT, "metadata[k]": "v" * 501}, None, "metadata[k]", None),
        ({**INTENT, f"metadata[{'k' * 41}]": "v"}, None, f"metadata[{'k' * 41}]", None),
        ({**INTENT, "return_url": "https://x.test"}, None, "return_url", None),
        ({**INTENT, "off_session": "true"}, None, "off_session", None),
        ({**INTENT, "description": "a\0b"}, None, "description", None),
        (
            {**INTENT, "payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
            None,
        ),
        (
            {**INTENT, "allowed_payment_method_types[]": "card",
             "automatic_payment_methods[enabled]": "true"},
            None,
            "automatic_payment_methods",
            None,
        ),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused(
    fakestripe: FakeStripe, params: JSON, code: str | None, param: str, message: str | None
) -> None:
    error = refusal(fakestripe, "payment_intents", params)
    assert (error.get("code"), error["param"]) == (code, param)
    if message is not None:
        assert error["message"] == message


def test_a_refused_request_leaves_nothing(alone: FakeStripe) -> None:
    for params in (INTENT | {"foo": "1"}, INTENT | {"customer": "cus_x"}, {"amount": "1"}):
        refusal(alone, "payment_intents", params)
    assert alone.control("state")["objects"] == {}


def test_raw_card_fields_are_for_browsers_only(fakestripe: FakeStripe) -> None:
    intent = payment_intent(fakestripe.client())
    given = {"payment_method_data[type]": "card", "payment_method_data[card][number]": "4242"}
    error = refusal(fakestripe, f"payment_intents/{intent.id}/confirm", given)
    assert error["param"] == "payment_method_data[card]"


def test_another_content_type_is_refused(fakestripe: FakeStripe) -> None:
    answer = requests.post(
        f"{fakestripe.url}/v1/customers",
        json={"email": "jo@example.com"},
        headers={"Authorization": "Bearer sk_test_fakestripe"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert "content type" in answer.json()["error"]["message"]


def test_metadata_merges_and_unsets(client: stripe.StripeClient) -> None:
    made = customer(client, metadata={"a": "1", "b": "2", "0": "zero"})
    client.v1.customers.update(made.id, {"metadata": {"a": "", "c": "3"}})
    found = client.v1.customers.retrieve(made.id)
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"b": "2", "c": "3", "0": "zero"}
    cleared = client.v1.customers.update(made.id, {"metadata": ""})
    assert cleared.metadata is not None
    assert cleared.metadata.to_dict() == {}


def test_expand_follows_nested_paths(client: stripe.StripeClient) -> None:
    intent = payment_intent(
        client, payment_method="pm_card_visa", confirm=True, capture_method="automatic",
        expand=["latest_charge.balance_transaction", "payment_method"],
    )  # fmt: skip
    charge: Any = intent.latest_charge
    assert charge.balance_transaction.net == 1000 - 59
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    listed = client.v1.payment_intents.list({"limit": 1, "expand": ["data.latest_charge"]})
    assert isinstance(listed.data[0].latest_charge, stripe.Charge)


def test_expand_fills_lists_that_are_left_out_otherwise(client: stripe.StripeClient) -> None:
    made = customer(client)
    assert made.subscriptions is None
    found = client.v1.customers.retrieve(made.id, {"expand": ["subscriptions"]})
    assert found.subscriptions is not None
    assert found.subscriptions.data == []


@pytest.mark.parametrize(
    "path",
    ["amount", "nothing", "metadata", "metadata.x", "latest_charge.amount", "data.customer",
     "automatic_payment_methods.enabled", "a.b.c.d.e"],
)  # fmt: skip
def test_what_cannot_be_expanded_is_refused(client: stripe.StripeClient, path: str) -> None:
    intent = payment_intent(client, payment_method="pm_card_visa", confirm=True)
    with pytest.raises(stripe.InvalidRequestError, match="expand") as caught:
        client.v1.payment_intents.retrieve(intent.id, {"expand": [path]})
    assert caught.value.param == "expand"


def test_nested_hashes_can_be_expanded_through(client: stripe.StripeClient) -> None:
    made = customer(client)
    method = card_method(client, "4242424242424242")
    client.v1.payment_methods.attach(method.id, {"customer": made.id})
    settings: Any = {"default_payment_method": method.id}
    client.v1.customers.update(made.id, {"invoice_settings": settings})
    found = client.v1.customers.retrieve(
        made.id, {"expand": ["invoice_settings.default_payment_method"]}
    )
    assert found.invoice_settings is not None
    expanded: Any = found.invoice_settings.default_payment_method
    assert expanded.card.last4 == "4242"
