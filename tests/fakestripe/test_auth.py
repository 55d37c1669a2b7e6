"""API keys: who may do what, and how everybody else is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests
import stripe

from tests.fakestripe.builders import customer, paid, payment_intent
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]
PUBLISHABLE = "pk_test_fakestripe"


def get(fake: FakeStripe, path: str, authorization: str | None) -> requests.Response:
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(f"{fake.url}/v1/{path}", headers=headers, timeout=10)


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    ["Bearer sk_test_abcdefgh", "Bearer rk_test_abcdefgh", basic("sk_test_abcdefgh")],
)
def test_any_well_formed_test_key_belongs_to_the_account(
    fakestripe: FakeStripe, authorization: str
) -> None:
    assert get(fakestripe, "customers", authorization).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        (None, "You did not provide an API key"),
        ("Bearer ", "You did not provide an API key"),
        ("Digest x", "You did not provide an API key"),
        ("Basic %%%", "You did not provide an API key"),
        ("Bearer hello", "Invalid API Key provided: *ello"),
        ("Bearer sk_test_short", "Invalid API Key provided: sk_test_*hort"),
        ("Bearer sk_live_abcdefghijkl", "never takes live keys"),
        ("Bearer rk_live_abcdefghijkl", "never takes live keys"),
        ("Bearer pk_live_abcdefghijkl", "never takes live keys"),
        ("Bearer pk_test_abcdefghijkl", "cannot be made with a publishable API key"),
    ],
)
def test_other_keys_are_refused(
    fakestripe: FakeStripe, authorization: str | None, words: str
) -> None:
    answer = get(fakestripe, "customers", authorization)
    assert answer.status_code == 401
    assert words in answer.json()["error"]["message"]
    assert "abcdefghijkl" not in answer.text


def test_the_sdk_sees_an_authentication_error(fakestripe: FakeStripe) -> None:
    with pytest.raises(stripe.AuthenticationError):
        fakestripe.client("sk_live_abcdefghijkl").v1.customers.list()


def test_a_revoked_key_stops_working(alone: FakeStripe) -> None:
    client = alone.client("sk_test_leakedkey")
    customer(client)
    alone.control("keys/revoke", {"key": "sk_test_leakedkey"})
    with pytest.raises(stripe.AuthenticationError) as caught:
        client.v1.customers.list()
    assert caught.value.error is not None
    assert caught.value.error.code == "api_key_expired"
    assert len(alone.client("sk_test_anotherkey").v1.customers.list().data) == 1


def test_every_answer_carries_its_request_id_and_version(fakestripe: FakeStripe) -> None:
    for path, key in (("customers", "Bearer sk_test_abcdefgh"), ("customers", None)):
        answer = get(fakestripe, path, key)
        assert answer.headers["Request-Id"].startswith("req_")
        assert answer.headers["Stripe-Version"] == stripe.api_version
        assert answer.headers["Content-Type"] == "application/json"


def test_an_unknown_url_is_named(fakestripe: FakeStripe) -> None:
    answer = get(fakestripe, "foo", "Bearer sk_test_abcdefgh")
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert message.startswith("Unrecognized request URL (GET: /v1/foo).")
    delete = requests.delete(
        f"{fakestripe.url}/v1/charges/ch_x",
        headers={"Authorization": "Bearer sk_test_abcdefgh"},
        timeout=10,
    )
    assert delete.status_code == 404
    assert "(DELETE: /v1/charges/ch_x)" in delete.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("payment_intents/pi_x", "intent", "No such payment_intent: 'pi_x'"),
        ("customers/cus_x", "id", "No such customer: 'cus_x'"),
        ("payment_methods/pm_x", "payment_method", "No such PaymentMethod: 'pm_x'"),
        ("charges/ch_x", "charge", "No such charge: 'ch_x'"),
        ("events/evt_x", "id", "No such event: 'evt_x'"),
        ("webhook_endpoints/we_x", "webhook_endpoint", "No such webhook endpoint: 'we_x'"),
    ],
)
def test_an_unknown_id_is_named(
    fakestripe: FakeStripe, path: str, param: str, message: str
) -> None:
    answer = get(fakestripe, path, "Bearer sk_test_abcdefgh")
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert (error["code"], error["param"], error["message"]) == ("resource_missing", param, message)


def test_an_object_of_another_type_is_not_found(client: stripe.StripeClient) -> None:
    made = customer(client)
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.payment_intents.retrieve(made.id)


def test_a_browser_needs_the_client_secret(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    intent, other = payment_intent(client), payment_intent(client)
    path = f"payment_intents/{intent.id}"
    key = f"Bearer {PUBLISHABLE}"
    assert get(fakestripe, path, key).json()["error"]["param"] == "client_secret"
    wrong = get(fakestripe, f"{path}?client_secret={other.client_secret}", key)
    assert wrong.status_code == 404
    right = get(fakestripe, f"{path}?client_secret={intent.client_secret}", key)
    assert right.status_code == 200


def test_a_browser_sees_only_what_is_public(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    made = customer(client)
    intent = paid(client, customer=made.id, metadata={"user": "7"})
    query = f"payment_intents/{intent.id}?client_secret={intent.client_secret}"
    shown = get(fakestripe, query, f"Bearer {PUBLISHABLE}").json()
    assert shown["status"] == "succeeded"
    assert not {"metadata", "customer", "latest_charge", "payment_method_options"} & set(shown)
    expanded = get(fakestripe, query + "&expand[]=customer", f"Bearer {PUBLISHABLE}")
    assert expanded.status_code == 400


def test_a_browser_can_confirm_with_card_fields(fakestripe: FakeStripe) -> None:
    intent = payment_intent(fakestripe.client(), metadata={"user": "7"})
    form = {
        "client_secret": intent.client_secret,
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4000000000000002",
        "payment_method_data[card][exp_month]": "12",
        "payment_method_data[card][exp_year]": "34",
        "payment_method_data[card][cvc]": "123",
        "return_url": "https://shop.example/return",
        "use_stripe_sdk": "true",
    }
    url = f"{fakestripe.url}/v1/payment_intents/{intent.id}/confirm"
    headers = {"Authorization": f"Bearer {PUBLISHABLE}", "Origin": "https://shop.example"}
    declined = requests.post(url, data=form, headers=headers, timeout=10)
    error = declined.json()["error"]
    assert declined.status_code == 402, error
    assert (error["type"], error["decline_code"]) == ("card_error", "generic_decline")
    assert "metadata" not in error["payment_intent"]
    assert declined.headers["Access-Control-Allow-Origin"] == "*"
    form["payment_method_data[card][number]"] = "4242424242424242"
    assert requests.post(url, data=form, headers=headers, timeout=10).json()["status"] == (
        "succeeded"
    )


def test_browsers_may_ask_first(fakestripe: FakeStripe) -> None:
    answer = requests.options(f"{fakestripe.url}/v1/payment_intents/pi_x/confirm", timeout=10)
    assert answer.status_code == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
