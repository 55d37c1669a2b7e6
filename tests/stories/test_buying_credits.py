"""Customers buy credits: the stories that the shop exists for."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.buyer import Buyer
from tests.support.shop import RunningShop

pytestmark = pytest.mark.browser

VISA = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
ASKS_FOR_3D_SECURE = "4000 0025 0000 3155"
SETTLES_LATE = "4000 0099 9900 0014"  # these two exist at fakestripe only
FAILS_LATE = "4000 0099 9900 0022"


def test_a_payment_becomes_credits(buyer: Buyer) -> None:
    buyer.buys("$10", VISA)
    buyer.sees_success("1,000")
    buyer.visits("/account")
    expect(buyer.page.get_by_role("main")).to_contain_text("+1,000")
    buyer.page.reload()
    buyer.sees_balance("1,000")


def test_a_declined_card_says_why_and_another_pays_the_same_intent(
    buyer: Buyer, shop: RunningShop
) -> None:
    buyer.buys("$10", DECLINED)
    buyer.sees_error(re.compile("declined", re.IGNORECASE))
    buyer.sees_balance("0")
    buyer.enters_card(VISA)
    buyer.presses_pay()
    buyer.sees_success("1,000")
    assert [intent["status"] for intent in shop.intents_of(buyer.email)] == ["succeeded"]


def test_3d_secure_completed(buyer: Buyer) -> None:
    buyer.buys("$20", ASKS_FOR_3D_SECURE)
    buyer.answers_challenge("Complete")
    buyer.sees_success("2,000")


def test_3d_secure_failed_then_paid_with_another_card(buyer: Buyer, shop: RunningShop) -> None:
    buyer.buys("$20", ASKS_FOR_3D_SECURE)
    buyer.answers_challenge("Fail")
    buyer.sees_error(re.compile("authenticate", re.IGNORECASE))
    buyer.sees_balance("0")
    buyer.enters_card(VISA)
    buyer.presses_pay()
    buyer.sees_success("2,000")
    assert len(shop.intents_of(buyer.email)) == 1


def test_a_processing_card_is_credited_when_it_settles(buyer: Buyer, shop: RunningShop) -> None:
    buyer.buys("$5", SETTLES_LATE)
    expect(buyer.page.get_by_text("Payment processing")).to_be_visible()
    buyer.sees_balance("0")
    shop.stripe("clock", {"advance_seconds": 600})
    buyer.page.reload()
    buyer.sees_success("500")


def test_a_processing_card_that_fails_says_so(buyer: Buyer, shop: RunningShop) -> None:
    buyer.buys("$5", FAILS_LATE)
    expect(buyer.page.get_by_text("Payment processing")).to_be_visible()
    shop.stripe("clock", {"advance_seconds": 600})
    buyer.page.reload()
    expect(buyer.page.get_by_role("link", name="Try again")).to_be_visible()
    buyer.sees_balance("0")


def test_a_dropped_webhook_and_three_redeliveries_credit_once(
    buyer: Buyer, shop: RunningShop
) -> None:
    shop.stripe("webhook_faults", {"kind": "dropped"})
    buyer.buys("$10", VISA)
    buyer.sees_success("1,000")  # the page asked Stripe, through the webhook's own function
    shop.forget_faults()
    shop.stripe("redeliver", {"type": "payment_intent.succeeded", "times": 3})
    shop.stripe("drain", {})
    buyer.visits("/account")
    buyer.sees_balance("1,000")


def test_a_late_webhook_alone_credits_once(buyer: Buyer, shop: RunningShop) -> None:
    shop.stripe("webhook_faults", {"kind": "dropped"})
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    buyer.presses_pay()
    buyer.page.wait_for_url("**/payments/*")
    buyer.page.goto("about:blank")  # nobody asks Stripe: only the webhook is left
    shop.forget_faults()
    shop.stripe("redeliver", {"type": "payment_intent.succeeded", "times": 3})
    shop.stripe("drain", {})
    buyer.visits("/account")
    buyer.sees_balance("1,000")


def test_the_shop_killed_between_payment_and_webhook(
    buyer: Buyer, shop: RunningShop, consoles: list[str]
) -> None:
    shop.stripe("webhook_faults", {"kind": "late", "seconds": 3})
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    buyer.page.route("**/payments/pay_*", lambda route: route.abort())
    buyer.presses_pay()
    _wait_for(lambda: [i["status"] for i in shop.intents_of(buyer.email)] == ["succeeded"])
    shop.kill_web()
    buyer.page.unroute_all()
    shop.start_web()
    shop.stripe("clock", {"advance_seconds": 3600})
    shop.stripe("drain", {})
    buyer.visits("/account")
    buyer.sees_balance("1,000")
    consoles.clear()  # the browser notes that the page could not be reached


def test_two_tabs_at_once_are_two_payments(buyer: Buyer) -> None:
    other = buyer.opens_another_tab()
    for tab in (buyer, other):
        tab.opens_top_up("$10")
        tab.enters_card(VISA)
    for tab in (buyer, other):
        tab.presses_pay()
    for tab in (buyer, other):
        expect(tab.page.get_by_text("Payment succeeded")).to_be_visible()
    assert buyer.payment_id != other.payment_id
    buyer.visits("/account")
    buyer.sees_balance("2,000")


def test_a_double_click_pays_once(buyer: Buyer, shop: RunningShop) -> None:
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    buyer.page.get_by_role("button", name=re.compile(r"^Pay ")).dblclick()
    buyer.sees_success("1,000")
    assert len(shop.intents_of(buyer.email)) == 1


def test_a_lost_answer_does_not_charge_twice(
    buyer: Buyer, shop: RunningShop, consoles: list[str]
) -> None:
    """Stripe confirms, the browser never hears of it, the customer presses Pay again."""
    buyer.opens_top_up("$10")
    buyer.enters_card(VISA)
    shop.stripe("faults", {"kind": "drop_after", "path": "/v1/payment_intents/*/confirm"})
    buyer.presses_pay()
    buyer.sees_error(re.compile("."))
    shop.forget_faults()
    buyer.presses_pay()
    buyer.sees_success("1,000")
    assert len(shop.intents_of(buyer.email)) == 1
    consoles.clear()  # the browser notes the dropped connection


def test_everything_is_there_after_a_restart(buyer: Buyer, shop: RunningShop) -> None:
    buyer.buys("$10", VISA)
    buyer.sees_success("1,000")
    shop.restart()
    buyer.buys("$5", VISA)
    buyer.sees_success("1,500")
    assert len(shop.intents_of(buyer.email)) == 2


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "this did not happen"
        time.sleep(0.05)
