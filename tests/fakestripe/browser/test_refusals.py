"""What Stripe.js refuses: wrong use throws IntegrationError, a wrong payment answers {error}."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.fakestripe.browser.buyer import DEFERRED, Buyer
from tests.fakestripe.browser.shop import Shop

pytestmark = pytest.mark.browser

SECRET = "'pi_123_secret_456'"
BACK = "confirmParams: {return_url: 'http://127.0.0.1/done'}"

WRONG_CALLS = [
    ("Stripe()", "apiKey should be a string"),
    ("Stripe('')", "You used an empty string"),
    ("Stripe('sk_test_abcdefgh')", "You should not use your secret key"),
    ("Stripe('rk_test_abcdefgh')", "You should not use your secret key"),
    ("Stripe('pk_live_abcdefgh')", "never takes live keys"),
    ("Stripe('nonsense')", "Invalid API key"),
    ("client.elements({mode: 'pay', amount: 5, currency: 'usd'})", "mode should be one of"),
    ("client.elements({mode: 'payment', amount: 9.99, currency: 'usd'})", "amount should be"),
    ("client.elements({mode: 'payment', amount: '1000', currency: 'usd'})", "amount should be"),
    ("client.elements({mode: 'payment', amount: 0, currency: 'usd'})", "amount should be"),
    ("client.elements({mode: 'payment', amount: 1000})", "currency should be"),
    (
        f"client.elements({{mode: 'payment', clientSecret: {SECRET}}})",
        "either mode or clientSecret",
    ),
    ("client.elements({clientSecret: 'pi_123'})", "of the form ${id}_secret_${secret}"),
    (
        "client.elements({mode: 'setup', currency: 'usd', paymentMethodTypes: ['card']})",
        "Use allowedPaymentMethodTypes instead",
    ),
    (
        "client.elements({mode: 'setup', allowedPaymentMethodTypes: ['card'],"
        " excludedPaymentMethodTypes: ['card']})",
        "not both",
    ),
    ("client.elements({mode: 'setup', appearance: {theme: 'neon'}})", "appearance.theme"),
    ("client.elements().create('payment')", "you must pass a clientSecret or mode"),
    ("elements.create('payment')", "Can only create one Element"),
    ("elements.create('card')", 'elements.create("card") is not offered by fakestripe'),
    ("client.elements({mode: 'setup'}).create('nothing')", "A valid Element name"),
    ("client.elements({mode: 'setup'}).create('payment').mount('#no')", "no DOM elements"),
    ("client.elements({mode: 'setup'}).submit()", "needs a mounted payment Element"),
    ("client.elements({mode: 'setup'}).fetchUpdates()", "with a clientSecret"),
    ("elements.update({clientSecret: 'pi_1_secret_2'})", "cannot change the clientSecret"),
    ("payment.on('nothing', () => {})", "no event named"),
    ("client.confirmPayment()", "needs an object"),
    ("client.confirmPayment({})", "needs elements or clientSecret"),
    (f"client.confirmPayment({{elements: {{}}, clientSecret: {SECRET}}})", "elements should be"),
    ("client.confirmPayment({elements, redirect: 'if_required'})", "clientSecret is required"),
    (f"client.confirmPayment({{elements, clientSecret: {SECRET}}})", "return_url is required"),
    (
        f"client.confirmPayment({{elements, clientSecret: {SECRET}, redirect: 'never', {BACK}}})",
        "redirect should be one of",
    ),
    (
        f"client.confirmPayment({{elements, clientSecret: {SECRET},"
        " confirmParams: {return_url: '/done'}})",
        "an absolute URL",
    ),
    (
        f"client.confirmPayment({{elements, clientSecret: 'pi_123', {BACK}}})",
        "of the form ${id}_secret_${secret}",
    ),
    (
        f"client.confirmPayment({{elements, clientSecret: {SECRET}, {BACK}}})",
        "elements.submit() must be called before stripe.confirmPayment()",
    ),
    ("client.createPaymentMethod({elements})", "elements.submit() must be called before"),
    ("client.createPaymentMethod({type: 'card', card: {}})", "takes {elements}"),
    ("client.retrievePaymentIntent('pi_123')", "of the form ${id}_secret_${secret}"),
    ("client.handleNextAction({})", "of the form ${id}_secret_${secret}"),
    ("client.confirmCardPayment('x')", "stripe.confirmCardPayment() is not offered by fakestripe"),
    ("client.createConfirmationToken({elements})", "stripe.createConfirmationToken() is not"),
    ("client.confirmSetup({elements})", "stripe.confirmSetup() is not offered"),
]


@pytest.fixture
def opened(buyer: Buyer) -> Buyer:
    buyer.opens_the_shop()
    return buyer


@pytest.mark.always
def test_wrong_use_is_refused_by_an_integration_error(opened: Buyer) -> None:
    answers = {call: opened.tries(call) for call, _sentence in WRONG_CALLS}
    wrong = [
        (call, answers[call])
        for call, sentence in WRONG_CALLS
        if not answers[call].startswith("IntegrationError: ") or sentence not in answers[call]
    ]
    assert wrong == []


def test_a_shop_that_does_not_submit_first_is_told_so(buyer: Buyer) -> None:
    buyer.opens_the_shop(submits=False)
    buyer.fills_in("4242424242424242")
    buyer.pays()
    result = buyer.page.locator("#result")
    result.filter(has_text="elements.submit() must be called before").wait_for()


def test_a_change_after_submit_asks_for_another_submit(opened: Buyer) -> None:
    opened.fills_in("4242424242424242")
    assert opened.tries("elements.submit()") == ""
    opened.form.get_by_label("Security code").fill("321")
    opened.waits_until("seen.at(-1).name === 'change' && elements._submitted === false")
    call = f"client.confirmPayment({{elements, clientSecret: {SECRET}, {BACK}}})"
    assert "elements.submit() must be called before" in opened.tries(call)


@pytest.mark.parametrize(
    ("group", "intent", "param"),
    [
        ({"amount": 1500}, {}, "amount"),
        ({"currency": "usd"}, {"currency": "cad"}, "currency"),
        ({"setupFutureUsage": "off_session"}, {}, "setup_future_usage"),
        ({}, {"setup_future_usage": "off_session"}, "setup_future_usage"),
        ({"captureMethod": "manual"}, {}, "capture_method"),
    ],
)
def test_what_elements_were_told_must_agree_with_the_intent(
    buyer: Buyer, shop: Shop, group: dict[str, object], intent: dict[str, object], param: str
) -> None:
    buyer.opens_the_shop({**DEFERRED, **group}, intent=intent)
    buyer.fills_in("4242424242424242")
    buyer.pays()
    buyer.waits_until("window.outcome")
    error = buyer.result()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert f"The {param} provided to Elements" in error["message"]
    found = shop.client.v1.payment_intents.retrieve(error["payment_intent"]["id"])
    assert (found.status, found.latest_charge) == ("requires_payment_method", None)


def test_an_amount_changed_by_update_agrees_again(buyer: Buyer) -> None:
    buyer.opens_the_shop(intent={"amount": 2000})
    assert buyer.page.evaluate("elements.update({amount: 2000}).then(() => 'updated')") == "updated"
    buyer.fills_in("4242424242424242")
    buyer.pays()
    buyer.sees("succeeded")
    assert buyer.result()["paymentIntent"]["amount"] == 2000


def test_a_client_secret_that_is_not_the_intents_own_is_an_error(opened: Buyer, shop: Shop) -> None:
    intent, other = shop.intent(), shop.intent()
    assert intent.client_secret is not None
    stolen = f"{other.id}_secret_{intent.client_secret.split('_secret_')[1]}"
    opened.complaints.clear()
    found = opened.page.evaluate("(s) => client.retrievePaymentIntent(s)", stolen)
    assert found["error"]["type"] == "invalid_request_error"
    assert "paymentIntent" not in found
    opened.complaints[:] = [text for text in opened.complaints if "Failed to load" not in text]


@pytest.mark.parametrize("ending", ["succeeded", "canceled"])
def test_elements_refuse_an_intent_in_a_terminal_state(
    buyer: Buyer, shop: Shop, ending: str
) -> None:
    intent = shop.intent()
    if ending == "succeeded":
        back = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1/done"}
        shop.client.v1.payment_intents.confirm(intent.id, back)  # type: ignore[arg-type]
    else:
        shop.client.v1.payment_intents.cancel(intent.id)
    buyer.page.goto(buyer.shop_url)
    buyer.page.evaluate(f"start({json.dumps({'clientSecret': intent.client_secret})}, {{}}, {{}})")
    expect(buyer.page).to_have_title("loaderror")
    error = buyer.page.evaluate("seen.at(-1).error")
    assert "terminal state" in error["message"]
    assert error["payment_intent"]["status"] == ending


def test_an_open_intents_client_secret_is_enough(buyer: Buyer, shop: Shop) -> None:
    intent = shop.intent(amount=1234)
    buyer.opens_the_shop({"clientSecret": intent.client_secret})
    buyer.fills_in("4242424242424242")
    result = buyer.page.evaluate(
        "client.confirmPayment({elements, redirect: 'if_required',"
        " confirmParams: {return_url: location.origin + '/done'}})"
    )
    assert (result["paymentIntent"]["id"], result["paymentIntent"]["status"]) == (
        intent.id,
        "succeeded",
    )
