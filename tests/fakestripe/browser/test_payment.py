"""The deferred flow as a shop runs it: what the buyer does, sees and gets back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from storefront.fakestripe.cards import STAND_IN_PROCESSING_FAILS, STAND_IN_PROCESSING_SUCCEEDS
from tests.fakestripe.browser.buyer import DEFERRED, Buyer
from tests.fakestripe.browser.shop import Shop
from tests.fakestripe.harness import FakeStripe

pytestmark = pytest.mark.browser

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
CHALLENGED = "4000002500003155"
CHALLENGED_THEN_DECLINED = "4000008400001629"


def status(buyer: Buyer, shop: Shop) -> str:
    """What the API says about the buyer's intent, asked by the shop's server."""
    secret: str = buyer.page.evaluate("clientSecret")
    return shop.client.v1.payment_intents.retrieve(secret.split("_secret_")[0]).status


@pytest.mark.always
def test_a_good_card_pays(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(GOOD)
    buyer.pays()
    buyer.sees("succeeded")
    intent = buyer.result()["paymentIntent"]
    assert (intent["amount"], intent["currency"], intent["object"]) == (
        1000,
        "usd",
        "payment_intent",
    )
    assert status(buyer, shop) == "succeeded"


@pytest.mark.always
def test_a_declined_card_says_why_and_another_pays_the_same_intent(
    buyer: Buyer, shop: Shop
) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(DECLINED)
    buyer.pays()
    buyer.sees("Your card was declined.")
    error = buyer.result()["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")
    assert error["decline_code"] == "generic_decline"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_method"]["type"] == "card"

    buyer.fills_in(GOOD)
    buyer.pays()
    buyer.sees("succeeded")
    assert buyer.result()["paymentIntent"]["id"] == error["payment_intent"]["id"]


def test_the_error_has_only_documented_fields(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(DECLINED)
    buyer.pays()
    buyer.sees("Your card was declined.")
    documented = {
        "type", "code", "decline_code", "message", "param", "payment_intent", "payment_method",
        "doc_url", "charge", "request_log_url",
    }  # fmt: skip
    assert set(buyer.result()["error"]) <= documented


@pytest.mark.always
def test_a_completed_challenge_pays(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(CHALLENGED)
    buyer.pays()
    buyer.answers("Complete")
    buyer.sees("succeeded")
    assert status(buyer, shop) == "succeeded"


def test_a_failed_challenge_says_so_and_the_intent_can_be_paid_again(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(CHALLENGED)
    buyer.pays()
    buyer.answers("Fail")
    buyer.sees(
        "We are unable to authenticate your payment method. "
        "Please choose a different payment method and try again."
    )
    error = buyer.result()["error"]
    assert error["code"] == "payment_intent_authentication_failure"
    assert error["payment_intent"]["status"] == "requires_payment_method"

    buyer.pays()
    buyer.answers("Complete")
    buyer.sees("succeeded")


def test_a_card_can_be_declined_after_its_challenge(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(CHALLENGED_THEN_DECLINED)
    buyer.pays()
    buyer.answers("Complete")
    buyer.sees("Your card was declined.")
    assert buyer.result()["error"]["code"] == "card_declined"


@pytest.mark.parametrize("layout", ["tabs", "accordion"])
def test_a_bank_debit_stays_in_processing_until_the_clock_moves(
    buyer: Buyer, shop: Shop, fakestripe: FakeStripe, layout: str
) -> None:
    buyer.opens_the_shop(element={"layout": layout})
    buyer.form.get_by_text("US bank account").click()
    buyer.form.get_by_label("Full name").fill("Jenny Rosen")
    buyer.form.get_by_label("Email").fill("jenny@example.com")
    buyer.form.get_by_label("Routing number").fill("110000000")
    buyer.form.get_by_label("Account number").fill("000123456789")
    buyer.pays()
    buyer.sees("processing")
    assert status(buyer, shop) == "processing"
    fakestripe.control("clock", {"advance_seconds": 32 * 86400})
    assert status(buyer, shop) == "succeeded"


def test_a_sepa_debit_is_offered_in_euros(buyer: Buyer) -> None:
    buyer.opens_the_shop({**DEFERRED, "currency": "eur"}, intent={"currency": "eur"})
    buyer.form.get_by_text("SEPA Direct Debit").click()
    buyer.form.get_by_label("Full name").fill("Jenny Rosen")
    buyer.form.get_by_label("Email").fill("jenny@example.com")
    buyer.form.get_by_label("IBAN").fill("AT611904300234573201")
    buyer.pays()
    buyer.sees("processing")


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (STAND_IN_PROCESSING_SUCCEEDS, "succeeded"),
        (STAND_IN_PROCESSING_FAILS, "requires_payment_method"),
    ],
)
def test_a_card_of_the_stand_in_settles_late(
    buyer: Buyer, shop: Shop, fakestripe: FakeStripe, number: str, outcome: str
) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(number)
    buyer.pays()
    buyer.sees("processing")
    fakestripe.control("clock", {"advance_seconds": 600})
    assert status(buyer, shop) == outcome


def test_with_redirect_always_the_buyer_comes_back_by_the_return_url(buyer: Buyer) -> None:
    buyer.opens_the_shop(redirect="always")
    buyer.fills_in(GOOD)
    buyer.pays()
    buyer.page.wait_for_url("**/done?**")
    query = {name: values[0] for name, values in parse_qs(urlsplit(buyer.page.url).query).items()}
    assert query["order"] == "7"
    assert query["payment_intent_client_secret"].startswith(query["payment_intent"] + "_secret_")
    assert query["redirect_status"] == "succeeded"


def test_an_intent_of_its_own_can_be_confirmed_without_a_form(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    intent = shop.intent(payment_method="pm_card_authenticationRequired")
    buyer.page.evaluate(
        "(clientSecret) => { client.confirmPayment({clientSecret, redirect: 'if_required',"
        " confirmParams: {return_url: location.origin + '/done'}})"
        ".then((result) => { window.outcome = result; say(result.paymentIntent.status); }); }",
        intent.client_secret,
    )
    buyer.answers("Complete")
    buyer.sees("succeeded")


def test_handle_next_action_runs_an_open_challenge(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    intent = shop.intent(
        payment_method="pm_card_authenticationRequired",
        confirm=True,
        use_stripe_sdk=True,
        return_url=shop.url,
    )
    assert intent.status == "requires_action"
    buyer.page.evaluate(
        "(clientSecret) => { client.handleNextAction({clientSecret})"
        ".then((result) => say(result.paymentIntent.status)); }",
        intent.client_secret,
    )
    buyer.answers("Complete")
    buyer.sees("succeeded")


def test_retrieving_an_intent_by_its_client_secret(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    intent = shop.intent()
    found = buyer.page.evaluate("(s) => client.retrievePaymentIntent(s)", intent.client_secret)
    assert found["paymentIntent"]["id"] == intent.id
    assert found["paymentIntent"]["status"] == "requires_payment_method"


def test_a_payment_method_can_be_made_from_the_form(buyer: Buyer, shop: Shop) -> None:
    buyer.opens_the_shop()
    buyer.fills_in(GOOD)
    made = buyer.page.evaluate(
        "elements.submit().then(() => client.createPaymentMethod({elements}))"
    )
    method = shop.client.v1.payment_methods.retrieve(made["paymentMethod"]["id"])
    assert method.card is not None
    assert method.card.last4 == "4242"
