"""Stripe's Node SDK tells the story of a shop to fakestripe (tests/clients/story.mjs)."""

from typing import Any

import pytest

from tests.clients.official import node_story
from tests.fakestripe.harness import KeptFakeStripe


@pytest.fixture(scope="module")
def told(installed: None, kept_fakestripe: KeptFakeStripe) -> dict[str, Any]:
    """What the SDK was answered; it is told once for all tests of this file."""
    with kept_fakestripe.lent() as fake:
        return node_story(fake.url)


def test_a_payment_and_its_refund(told: dict[str, Any]) -> None:
    payments = told["payments"]
    assert (payments["created"], payments["paid"]) == ("requires_payment_method", "succeeded")
    assert (payments["refund"], payments["refunded"]) == ("succeeded", 200)
    assert payments["asked"] == ["requires_action", "redirect_to_url"]


def test_errors_become_the_sdks_own_types(told: dict[str, Any]) -> None:
    errors = told["errors"]
    assert errors["card"]["known"] == ["StripeCardError"]
    assert (errors["card"]["statusCode"], errors["card"]["code"]) == (402, "card_declined")
    assert errors["card"]["decline_code"] == "insufficient_funds"
    assert errors["request"]["known"] == ["StripeInvalidRequestError"]
    assert (errors["request"]["statusCode"], errors["request"]["code"]) == (404, "resource_missing")
    assert (errors["unknown"]["code"], errors["unknown"]["param"]) == (
        "parameter_unknown",
        "colour",
    )
    assert errors["key"]["known"] == ["StripeAuthenticationError"]
    assert all(error["hasRequestId"] for error in errors.values())


def test_a_repeated_key_changes_nothing(told: dict[str, Any]) -> None:
    idempotency = told["idempotency"]
    assert idempotency["same"] and idempotency["replayed"] == "true"
    assert idempotency["differs"]["known"] == ["StripeIdempotencyError"]


def test_lists_go_on_over_pages(told: dict[str, Any]) -> None:
    assert told["pages"] == {"newestFirst": True}


def test_checkout_subscription_invoice_and_portal(told: dict[str, Any]) -> None:
    assert told["billing"] == {
        "session": ["open", "expired"],
        "url": True,
        "line": 900,
        "subscription": "active",
        "invoice": ["paid", 900, "paid"],
        "lineOf": True,
        "portal": True,
        "ending": True,
        "over": "canceled",
    }


def test_a_delivery_is_verified_and_a_forged_one_refused(told: dict[str, Any]) -> None:
    assert told["webhook"] == {
        "type": "customer.created",
        "about": True,
        "forged": "StripeSignatureVerificationError",
        "version": True,
    }
