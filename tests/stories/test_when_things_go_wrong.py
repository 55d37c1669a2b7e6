"""Stripe down, Stripe slow, no JavaScript, no Stripe.js, no mouse, a return URL that lies."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.stories.conftest import watch
from tests.support.buyer import Buyer
from tests.support.shop import RunningShop

pytestmark = pytest.mark.browser

VISA = "4242 4242 4242 4242"
CREATE = "/v1/payment_intents"


@pytest.mark.parametrize("kind", ["status", "rate_limit", "drop"])
def test_stripe_is_down_then_recovers(
    buyer: Buyer, shop: RunningShop, consoles: list[str], kind: str
) -> None:
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    shop.stripe("faults", {"kind": kind, "path": CREATE, "method": "POST"})
    buyer.presses_pay()
    buyer.sees_error(re.compile("Nothing was charged"))
    shop.forget_faults()
    buyer.presses_pay()
    buyer.sees_success("1,000")
    consoles[:] = [each for each in consoles if "503" not in each]


def test_stripes_answer_is_lost_after_the_effect(buyer: Buyer, shop: RunningShop) -> None:
    """Stripe made the intent, the shop never heard of it: the repeat meets the same one."""
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    shop.stripe("faults", {"kind": "drop_after", "path": CREATE, "method": "POST"})
    buyer.presses_pay()
    buyer.sees_success("1,000")
    assert len(shop.intents_of(buyer.email)) == 1


def test_without_javascript(chromium: Browser, shop: RunningShop) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        buyer = Buyer(context, shop.url).registers()
        buyer.visits("/top-up")
        expect(buyer.page.get_by_text(re.compile("JavaScript")).first).to_be_visible()


def test_without_stripe_js(buyer: Buyer, consoles: list[str]) -> None:
    buyer.page.route(re.compile(r"stripe\.js|/v3/"), lambda route: route.abort())
    buyer.visits("/top-up")
    buyer.sees_error(re.compile("payment form", re.IGNORECASE))
    consoles.clear()  # the browser notes the blocked script


def test_by_keyboard_alone(buyer: Buyer) -> None:
    buyer.visits("/top-up")
    expect(buyer.card_fields.get_by_label("Card number")).to_be_visible()
    page = buyer.page
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="$20", exact=True)).to_be_checked()
    for label, text in (
        ("Card number", VISA),
        ("Expiration date", "1234"),
        ("Security code", "123"),
    ):
        _tab_to(buyer, label)
        page.keyboard.type(text)
    button = page.get_by_role("button", name="Pay $20.00")
    for _ in range(15):
        page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    buyer.sees_success("2,000")


def test_on_a_phone(chromium: Browser, shop: RunningShop, consoles: list[str]) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    with context:
        watch(context, consoles)
        buyer = Buyer(context, shop.url).registers()
        buyer.buys("$50", VISA)
        buyer.sees_success("5,000")


def test_somebody_elses_payment_does_not_exist(
    buyer: Buyer, chromium: Browser, shop: RunningShop
) -> None:
    buyer.buys("$10", VISA)
    buyer.sees_success("1,000")
    with chromium.new_context() as context:
        stranger = Buyer(context, shop.url).registers()
        foreign = context.request.get(f"{shop.url}/payments/{buyer.payment_id}")
        missing = context.request.get(f"{shop.url}/payments/pay_{'0' * 32}")
        assert (foreign.status, missing.status) == (404, 404)
        assert stranger.email != buyer.email


def test_a_return_url_that_lies(buyer: Buyer, context: BrowserContext) -> None:
    """Opened, never paid; the URL claims otherwise, and the secret does not stay in it."""
    buyer.opens_top_up("$10")
    buyer.enters_card("4000 0000 0000 0002")
    with buyer.page.expect_response("**/payments/create-payment-intent") as answer:
        buyer.presses_pay()
    opened = answer.value.json()
    buyer.sees_error(re.compile("declined"))
    claim = f"payment_intent={opened['intent_id']}&redirect_status=succeeded"
    secret = f"payment_intent_client_secret={opened['client_secret']}"
    buyer.visits(f"/payments/{opened['payment_id']}?{claim}&{secret}")
    expect(buyer.page.get_by_role("link", name="Try again")).to_be_visible()
    expect(buyer.page.get_by_text("Payment succeeded")).to_have_count(0)
    assert "secret" not in buyer.page.url
    buyer.sees_balance("0")


def test_no_secret_in_the_logs(buyer: Buyer, shop: RunningShop) -> None:
    buyer.buys("$10", VISA)
    buyer.sees_success("1,000")
    log = shop.log("web")
    assert "POST path=/payments/create-payment-intent status=201" in log
    for secret in ("_secret_", "sk_test_", "whsec_", "42424242", "4242 4242", buyer.email):
        assert secret not in log


def _tab_to(buyer: Buyer, label: str) -> None:
    """Press Tab until the field with this label has the focus."""
    field = buyer.card_fields.get_by_label(label)
    for _ in range(15):
        if field.evaluate("node => node === document.activeElement && document.hasFocus()"):
            return
        buyer.page.keyboard.press("Tab")
    raise AssertionError(f"{label} cannot be reached by Tab")
