"""Customers buy plans on Stripe's page and come back: the stories of Checkout."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.support.served import eventually
from tests.support.shop import RunningShop
from tests.support.subscriber import VISA, Subscriber

pytestmark = pytest.mark.browser

DECLINED = "4000 0000 0000 0002"
ASKS_FOR_3D_SECURE = "4000 0025 0000 3155"


def test_subscribing_by_the_month(subscriber: Subscriber) -> None:
    """Credits, the plan's page and a receipt; and the success page may be loaded again."""
    assert not subscriber.may_see_reports()
    subscriber.subscribes()
    subscriber.sees_balance("5,000")
    subscriber.page.reload()
    subscriber.sees_heading("Premium is active")
    subscriber.sees_balance("5,000")
    assert subscriber.may_see_reports()
    subscriber.is_written_to("Your receipt from Storefront: Premium, monthly, $49.00", "5,000")


def test_subscribing_by_the_year_with_a_promotion_code(
    subscriber: Subscriber, shop: RunningShop
) -> None:
    code = promotion(shop, percent_off="20")
    subscriber.visits("/billing")
    subscriber.follows("Yearly")
    subscriber.presses("Go Premium yearly")
    subscriber.page.get_by_text("Add promotion code").click()
    subscriber.page.get_by_label("Promotion code").fill(code)
    subscriber.presses("Apply")
    expect(subscriber.page.get_by_test_id("total")).to_have_text("$392.00")
    subscriber.fills_in()
    subscriber.presses("Subscribe")
    subscriber.sees_heading("Premium is active")
    subscriber.sees("for $490/year")
    subscriber.sees("$392.00")  # the invoice
    subscriber.sees_balance("5,000")  # the first month's; a coupon takes off no credits


def test_a_declined_card_then_3d_secure(subscriber: Subscriber) -> None:
    """Three cards that do not pay, and nothing is bought; the fourth answer of the bank does."""
    subscriber.visits("/billing")
    subscriber.presses("Go Premium monthly")
    subscriber.fills_in(DECLINED)
    subscriber.presses("Subscribe")
    subscriber.sees_error("Your card was declined.")
    subscriber.fills_in(ASKS_FOR_3D_SECURE)
    subscriber.presses("Subscribe")
    subscriber.answers_the_bank("Fail")
    subscriber.sees_error("We are unable to authenticate your payment method.")
    assert subscriber.at_stripe("subscription") == []
    subscriber.presses("Subscribe")
    subscriber.answers_the_bank("Complete")
    subscriber.sees_heading("Premium is active")
    subscriber.sees_balance("5,000")
    assert len(subscriber.at_stripe("subscription")) == 1


def test_a_double_click_opens_one_checkout_and_leaving_it_keeps_the_choice(
    subscriber: Subscriber,
) -> None:
    subscriber.visits("/billing?interval=yearly")
    button = subscriber.page.get_by_role("button", name="Go Premium yearly")
    button.dblclick()
    subscriber.follows(re.compile("^Back to"))
    subscriber.sees_heading("Checkout canceled")
    subscriber.sees("Nothing was charged. Your choice is still here.")
    expect(subscriber.page.locator("#plan-premium_plan")).to_have_attribute("aria-current", "true")
    expect(subscriber.page.get_by_test_id("plan")).to_have_text("Free")
    button.click()  # takes the open checkout up again
    expect(subscriber.page.get_by_label("Card number")).to_be_visible()
    (session,) = subscriber.at_stripe("checkout.session")
    assert (session["status"], session["amount_total"]) == ("open", 49000)


def test_buying_the_one_time_plan(subscriber: Subscriber) -> None:
    subscriber.visits("/billing")
    subscriber.presses("Buy for $29")
    subscriber.fills_in()
    subscriber.presses("Pay $29.00")
    subscriber.sees_heading("Payment succeeded")
    subscriber.sees_balance("3,000")
    expect(subscriber.page.get_by_test_id("plan")).to_have_text("Standard Pack")
    card = subscriber.page.locator("#plan-standard_pack")
    expect(card).to_contain_text("Purchased")
    expect(card.get_by_role("button")).to_have_count(0)
    subscriber.is_written_to("Your receipt from Storefront: Standard Pack, $29.00", "3,000")
    assert len(subscriber.mails("Your receipt")) == 1


def test_the_success_page_needs_no_webhook(subscriber: Subscriber, shop: RunningShop) -> None:
    """It asks Stripe itself; and webhooks that come after all, thrice, change nothing."""
    shop.stripe("webhook_faults", {"kind": "dropped"})
    pays_for_a_month(subscriber)
    # Checkout would hold the customer for ten seconds: as long as it waits for our webhook.
    subscriber.page.goto(success_url(subscriber))
    subscriber.sees_heading("Premium is active")
    subscriber.sees_balance("5,000")
    shop.forget_faults()
    for type in ("checkout.session.completed", "invoice.paid", "customer.subscription.created"):
        shop.stripe("redeliver", {"type": type, "times": 3})
    shop.stripe("drain", {})
    subscriber.visits("/billing")
    subscriber.sees_balance("5,000")
    subscriber.has("Premium", "Active")


def test_paid_and_never_seen_again(subscriber: Subscriber, shop: RunningShop) -> None:
    """No webhook arrives and no browser comes back: a worker that starts later finds the events on
    Stripe's list."""
    shop.stop_worker()
    try:
        shop.stripe("webhook_faults", {"kind": "dropped"})
        pays_for_a_month(subscriber)
        subscriber.page.goto("about:blank")
        shop.forget_faults()
    finally:
        shop.start_worker()
    subscriber.is_written_to("Your receipt from Storefront: Premium, monthly, $49.00")
    subscriber.visits("/billing")
    subscriber.has("Premium", "Active")
    subscriber.sees_balance("5,000")


def pays_for_a_month(subscriber: Subscriber) -> None:
    """Until Stripe has the subscription; Checkout's page is still open then."""
    subscriber.visits("/billing")
    subscriber.presses("Go Premium monthly")
    subscriber.fills_in(VISA)
    subscriber.presses("Subscribe")
    eventually(lambda: bool(subscriber.at_stripe("subscription")), "Stripe has a subscription")


def success_url(subscriber: Subscriber) -> str:
    """Where Checkout sends the customer to."""
    (session,) = subscriber.at_stripe("checkout.session")
    url: str = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return url


def promotion(shop: RunningShop, **coupon: str) -> str:
    """A new promotion code, as the merchant makes one at the Dashboard."""
    made = shop.stripe_api("POST", "coupons", duration="once", **coupon)
    code = f"SPRING{uuid.uuid4().hex[:6].upper()}"
    named = {"promotion[type]": "coupon", "promotion[coupon]": made["id"], "code": code}
    shop.stripe_api("POST", "promotion_codes", **named)
    return code
