"""The hosted Checkout page: what the customer does there, and what becomes of it."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from tests.fakestripe.browser.hosted import CHALLENGED, DECLINED, GOOD, Merchant, Visitor
from tests.fakestripe.harness import FakeStripe, Receiver

pytestmark = pytest.mark.browser


def arrived(visitor: Visitor) -> dict[str, str]:
    """Wait for the shop's page after Checkout; return the query it was opened with."""
    visitor.page.wait_for_url("**/done?**")
    return {k: v[0] for k, v in parse_qs(urlsplit(visitor.page.url).query).items()}


@pytest.mark.always
def test_a_subscription_is_bought(visitor: Visitor, merchant: Merchant) -> None:
    customer = merchant.customer()
    session = merchant.session(merchant.price(), customer=customer)
    visitor.opens(session.url)
    visitor.sees_heading("Subscribe to Pro $20.00 per month")
    visitor.sees("jenny@example.com")
    expect(visitor.page.get_by_label("Email")).to_have_count(0)  # the customer's own, locked
    expect(visitor.page.get_by_test_id("total")).to_have_text("$20.00")
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    assert arrived(visitor) == {"session": session.id}
    done = merchant.session_again(session.id)
    assert (done.status, done.payment_status) == ("complete", "paid")
    subscription = merchant.client.v1.subscriptions.retrieve(str(done.subscription))
    assert (subscription.status, subscription.customer) == ("active", customer)


def test_a_promotion_code_is_applied_removed_and_refused(
    visitor: Visitor, merchant: Merchant
) -> None:
    code = merchant.promotion("SPRING25")
    session = merchant.session(
        merchant.price(), customer=merchant.customer(), allow_promotion_codes=True
    )
    visitor.opens(session.url)
    visitor.fills_in(GOOD)
    visitor.page.get_by_text("Add promotion code").click()
    visitor.page.get_by_label("Promotion code").fill("WINTER")
    visitor.presses("Apply")
    visitor.problem("This code is invalid.")
    visitor.page.get_by_label("Promotion code").fill(code)
    visitor.presses("Apply")
    total = visitor.page.get_by_test_id("total")
    expect(total).to_have_text("$15.00")
    visitor.sees_heading("Subscribe to Pro $15.00 due today")
    visitor.presses("Remove promotion code SPRING25")
    expect(total).to_have_text("$20.00")
    visitor.page.get_by_text("Add promotion code").click()
    visitor.page.get_by_label("Promotion code").fill("spring25")  # as Stripe, in any case
    visitor.page.keyboard.press("Enter")
    expect(total).to_have_text("$15.00")
    expect(visitor.page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    visitor.presses("Subscribe")
    arrived(visitor)
    assert merchant.session_again(session.id).amount_total == 1500


def test_a_declined_card_says_why_and_another_one_pays(
    visitor: Visitor, merchant: Merchant
) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in(DECLINED)
    visitor.presses("Subscribe")
    visitor.problem("Your card was declined.")
    again = merchant.session_again(session.id)
    assert (again.status, again.subscription) == ("open", None)
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    arrived(visitor)
    assert merchant.session_again(session.id).payment_status == "paid"


def test_an_incomplete_card_is_not_sent(visitor: Visitor, merchant: Merchant) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in("4242", code="1")
    visitor.presses("Subscribe")
    visitor.problem("Your card number is incomplete.")
    visitor.problem("Your card's security code is incomplete.")
    expect(visitor.page.get_by_label("Card number")).to_be_focused()


def test_a_completed_challenge_subscribes(visitor: Visitor, merchant: Merchant) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in(CHALLENGED)
    visitor.presses("Subscribe")
    visitor.answers("Complete")
    assert arrived(visitor) == {"session": session.id}
    assert merchant.session_again(session.id).payment_status == "paid"


def test_a_failed_challenge_can_be_followed_by_another_card(
    visitor: Visitor, merchant: Merchant
) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in(CHALLENGED)
    visitor.presses("Subscribe")
    visitor.answers("Fail")
    visitor.problem("We are unable to authenticate your payment method.")
    assert merchant.session_again(session.id).status == "open"
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    arrived(visitor)
    assert merchant.session_again(session.id).payment_status == "paid"


def test_the_way_back_leads_to_the_cancel_url(visitor: Visitor, merchant: Merchant) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.page.get_by_role("link", name=re.compile("^Back to")).click()
    assert arrived(visitor) == {"canceled": "1"}
    assert merchant.session_again(session.id).status == "open"


def test_a_one_time_purchase_of_several(visitor: Visitor, merchant: Merchant) -> None:
    adjustable = {"enabled": True, "minimum": 1, "maximum": 4}
    item: Any = {"price": merchant.price(500, None), "quantity": 1}
    session = merchant.session(
        item["price"], mode="payment", line_items=[{**item, "adjustable_quantity": adjustable}]
    )
    visitor.opens(session.url)
    visitor.sees_heading("Pay for Pro $5.00")
    visitor.fills_in(GOOD)
    visitor.presses("Increase quantity of Pro")
    expect(visitor.page.get_by_test_id("total")).to_have_text("$10.00")
    quantity = visitor.page.get_by_label("Quantity of Pro", exact=True)
    quantity.fill("4")
    quantity.blur()
    expect(visitor.page.get_by_test_id("total")).to_have_text("$20.00")
    expect(visitor.page.get_by_role("button", name="Increase quantity of Pro")).to_be_disabled()
    visitor.presses("Decrease quantity of Pro")
    expect(visitor.page.get_by_test_id("total")).to_have_text("$15.00")
    visitor.page.get_by_label("Email").fill("guest@example.com")
    visitor.presses("Pay $15.00")
    arrived(visitor)
    done = merchant.session_again(session.id)
    assert (done.payment_status, done.amount_total) == ("paid", 1500)
    assert done.customer_details is not None
    assert done.customer_details.email == "guest@example.com"
    intent = merchant.client.v1.payment_intents.retrieve(str(done.payment_intent))
    assert (intent.status, intent.amount_received) == ("succeeded", 1500)


def test_a_trial_starts_with_a_card_and_costs_nothing(visitor: Visitor, merchant: Merchant) -> None:
    session = merchant.session(
        merchant.price(), customer=merchant.customer(), subscription_data={"trial_period_days": 14}
    )
    visitor.opens(session.url)
    visitor.sees_heading("Try Pro 14 days free")
    expect(visitor.page.get_by_test_id("total")).to_have_text("$0.00")
    visitor.fills_in(GOOD)
    visitor.presses("Start trial")
    arrived(visitor)
    done = merchant.session_again(session.id)
    assert done.payment_status == "no_payment_required"
    assert merchant.client.v1.subscriptions.retrieve(str(done.subscription)).status == "trialing"


def test_a_purchase_that_costs_nothing_asks_for_no_card(
    visitor: Visitor, merchant: Merchant
) -> None:
    code = merchant.promotion("FREE", percent_off=100)
    session = merchant.session(
        merchant.price(500, None), mode="payment", customer=merchant.customer(),
        allow_promotion_codes=True,
    )  # fmt: skip
    visitor.opens(session.url)
    visitor.page.get_by_text("Add promotion code").click()
    visitor.page.get_by_label("Promotion code").fill(code)
    visitor.presses("Apply")
    expect(visitor.page.get_by_label("Card number")).to_be_hidden()
    visitor.presses("Complete order")
    arrived(visitor)
    done = merchant.session_again(session.id)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")


def test_a_finished_and_an_expired_session_say_so(visitor: Visitor, merchant: Merchant) -> None:
    paid = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(paid.url)
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    arrived(visitor)
    visitor.opens(paid.url)
    visitor.sees_heading("You’re all done here")
    expect(visitor.page.get_by_role("button")).to_have_count(0)

    left = merchant.session(merchant.price(), customer=merchant.customer())
    merchant.client.v1.checkout.sessions.expire(left.id)
    visitor.opens(left.url)
    visitor.sees_heading("This page has expired")
    visitor.page.get_by_role("link", name=re.compile("^Return to")).click()
    assert arrived(visitor) == {"canceled": "1"}


def test_the_page_waits_until_the_shop_has_heard_of_it(
    visitor: Visitor, merchant: Merchant, fakestripe: FakeStripe, receiver: Receiver
) -> None:
    endpoint = fakestripe.register_webhook(receiver.url, ("checkout.session.completed",))
    receiver.wait_for = threading.Event()
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    receiver.wait(1)  # our server has the event and does not answer yet
    assert merchant.session_again(session.id).status == "complete"
    with pytest.raises(requests.ReadTimeout):  # whoever asks is kept waiting
        requests.post(f"{session.url}/confirm", json={}, timeout=0.3)
    button = visitor.page.get_by_role("button", name="Subscribe")
    expect(button).to_have_attribute("aria-busy", "true")
    with visitor.page.expect_navigation(url="**/done?**"):
        assert visitor.page.url == session.url
        receiver.wait_for.set()
    merchant.client.v1.webhook_endpoints.delete(endpoint["id"])


def test_everything_can_be_done_by_keyboard(visitor: Visitor, merchant: Merchant) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.page.get_by_label("Card number").focus()
    visitor.page.keyboard.type(GOOD)
    expect(visitor.page.get_by_label("Expiration date")).to_be_focused()
    visitor.page.keyboard.type("1234")
    expect(visitor.page.get_by_label("Security code")).to_be_focused()
    visitor.page.keyboard.type("123")
    visitor.page.keyboard.press("Enter")
    arrived(visitor)


def test_a_second_tab_neither_pays_again_nor_gets_stuck(
    visitor: Visitor, merchant: Merchant
) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    second = Visitor(visitor.page.context.new_page(), visitor.complaints)
    second.opens(session.url)
    for tab in (visitor, second):
        tab.fills_in(GOOD)
        tab.presses("Subscribe")
        assert arrived(tab) == {"session": session.id}
    customer = str(session.customer)
    assert len(merchant.client.v1.subscriptions.list({"customer": customer}).data) == 1
    assert len(merchant.client.v1.charges.list({"customer": customer}).data) == 1


def test_a_session_that_ends_while_it_is_looked_at_takes_nothing(
    visitor: Visitor, merchant: Merchant
) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    visitor.opens(session.url)
    visitor.fills_in(GOOD)
    merchant.client.v1.checkout.sessions.expire(session.id)
    visitor.presses("Subscribe")
    visitor.problem("This checkout has ended.")
    assert merchant.session_again(session.id).subscription is None


@pytest.mark.parametrize(
    "body", ["", "[]", "null", '"x"', '{"card": []}', '{"card": {"number": 1}}']
)
def test_nonsense_is_refused_in_words(merchant: Merchant, body: str) -> None:
    session = merchant.session(merchant.price(), customer=merchant.customer())
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{session.url}/confirm", data=body, headers=headers, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["error"]["message"].endswith(".")
    assert merchant.session_again(session.id).status == "open"


@pytest.mark.parametrize("path", ["/c/pay/cs_test_x", "/p/session/bps_x", "/i/in_x"])
def test_what_does_not_exist_says_so(fakestripe: FakeStripe, path: str) -> None:
    answer = requests.get(fakestripe.url + path, timeout=5)
    assert answer.status_code == 404
    assert "Something is missing" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
