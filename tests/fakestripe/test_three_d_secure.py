"""3-D Secure: the challenge is opened, completed, failed, and cannot be forged."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from tests.fakestripe.builders import RETURN_URL, paid, payment_intent
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]


def challenged(client: stripe.StripeClient, method: str = "pm_card_authenticationRequired") -> Any:
    return paid(client, method, return_url=RETURN_URL)


def press(fake: FakeStripe, intent: Any, outcome: str, secret: str = "") -> requests.Response:
    return requests.post(
        f"{fake.url}/_3ds/{intent.id}/{outcome}",
        data={"client_secret": secret or intent.client_secret},
        timeout=10,
    )


def test_the_challenge_is_a_redirect_for_servers(fakestripe: FakeStripe) -> None:
    intent = challenged(fakestripe.client())
    assert intent.next_action.type == "redirect_to_url"
    redirect = intent.next_action.redirect_to_url
    assert redirect.return_url == RETURN_URL
    parts = urlsplit(redirect.url)
    assert redirect.url.startswith(f"{fakestripe.url}/_3ds/{intent.id}?")
    assert parse_qs(parts.query) == {"client_secret": [intent.client_secret]}


def test_the_challenge_is_the_sdks_for_stripe_js(client: stripe.StripeClient) -> None:
    intent = payment_intent(client)
    params: Any = {"payment_method": "pm_card_authenticationRequired", "use_stripe_sdk": True}
    intent = client.v1.payment_intents.confirm(intent.id, params)
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    assert "redirect_to_url" not in intent.next_action


def test_completing_it_pays(alone: FakeStripe) -> None:
    client = alone.client()
    intent = challenged(client)
    assert intent.status == "requires_action"
    answer = press(alone, intent, "complete")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert "metadata" not in answer.json()
    found = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    charge: Any = found.latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    types = [e["type"] for e in alone.events("payment_intent.*")]
    assert types == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


def test_failing_it_leaves_the_intent_open(alone: FakeStripe) -> None:
    client = alone.client()
    intent = challenged(client)
    shown = press(alone, intent, "fail").json()
    assert shown["status"] == "requires_payment_method"
    assert shown["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert client.v1.charges.list({"payment_intent": intent.id}).data == []
    assert [e["type"] for e in alone.events("*.*failed")] == ["payment_intent.payment_failed"]
    again = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_authenticationRequired", "return_url": RETURN_URL}
    )
    assert again.status == "requires_action"
    assert press(alone, again, "complete").json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "decline_code"),
    [
        ("pm_card_threeDSecureRequiredChargeDeclined", "generic_decline"),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "insufficient_funds",
        ),
    ],
)
def test_the_bank_may_still_decline(fakestripe: FakeStripe, method: str, decline_code: str) -> None:
    intent = challenged(fakestripe.client(), method)
    shown = press(fakestripe, intent, "complete").json()
    assert shown["status"] == "requires_payment_method"
    assert shown["last_payment_error"]["decline_code"] == decline_code


def test_nobody_else_can_press(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    intent, other = challenged(client), challenged(client)
    for secret in ("wrong", other.client_secret):
        assert press(fakestripe, intent, "complete", secret).status_code == 404
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_it_can_be_pressed_once(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    intent = challenged(client)
    press(fakestripe, intent, "complete")
    for outcome in ("complete", "fail"):
        answer = press(fakestripe, intent, outcome)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_a_challenge_can_be_abandoned_for_another_card(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    intent = challenged(client)
    done = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    assert press(fakestripe, intent, "complete").status_code == 400
