"""The Customer Portal: what the customer does there, and what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from playwright.sync_api import Route, expect

from tests.fakestripe.browser.hosted import (
    CHALLENGED,
    DECLINED,
    GOOD,
    MASTERCARD,
    MONTH,
    Merchant,
    Visitor,
)
from tests.fakestripe.harness import FakeStripe

pytestmark = pytest.mark.browser

VISA = "pm_card_visa"


@dataclass(frozen=True)
class Subscribed:
    """A customer with a subscription, and prices to change to."""

    merchant: Merchant
    customer: str
    monthly: str
    yearly: str
    configuration: str
    id: str

    def now(self) -> stripe.Subscription:
        return self.merchant.client.v1.subscriptions.retrieve(self.id)

    def portal(self, **params: Any) -> str:
        return self.merchant.portal(self.customer, self.configuration, **params)

    def flow(self, type: str, **about: Any) -> str:
        """A deep link that comes back to the shop when it is done."""
        back = {"return_url": f"{self.merchant.url}/done?flow=finished"}
        after = {"type": "redirect", "redirect": back}
        details = {type: about} if about else {}
        return self.portal(flow_data={"type": type, "after_completion": after, **details})


def subscribed(merchant: Merchant, method: str = VISA, **params: Any) -> Subscribed:
    customer = merchant.customer(method)
    product = merchant.product()
    monthly = merchant.price(2000, "month", product=product)
    yearly = merchant.price(20000, "year", product=product)
    configuration = merchant.configuration(monthly, yearly, **params.pop("features", {}))
    id = merchant.subscription(customer, monthly, **params).id
    return Subscribed(merchant, customer, monthly, yearly, configuration, id)


@pytest.fixture
def pro(merchant: Merchant) -> Subscribed:
    return subscribed(merchant)


def cancels_at(subscription: stripe.Subscription) -> int | None:
    """When it ends, in whichever of the two ways Stripe says it."""
    end: int = subscription.items.data[0].current_period_end  # type: ignore[union-attr]
    return subscription.cancel_at or (end if subscription.cancel_at_period_end else None)


def test_the_home_page_shows_plan_card_details_and_invoices(
    visitor: Visitor, pro: Subscribed
) -> None:
    visitor.opens(pro.portal())
    plan = visitor.page.locator(f"[data-subscription={pro.id}]")
    expect(plan).to_contain_text("Pro")
    expect(plan).to_contain_text("$20.00 per month")
    expect(plan).to_contain_text("Your subscription renews on")
    visitor.sees("Visa •••• 4242")
    visitor.sees("jenny@example.com")
    row = visitor.page.get_by_role("row").filter(has_text="$20.00")
    expect(row).to_contain_text("Paid")
    row.get_by_role("link").click()
    visitor.page.wait_for_url("**/i/in_*")
    visitor.page.go_back()
    visitor.page.get_by_role("link", name=re.compile("^Return to")).click()
    visitor.page.wait_for_url("**/done?back=1")


@pytest.mark.always
def test_a_change_of_plan_shows_its_proration_first(visitor: Visitor, pro: Subscribed) -> None:
    visitor.opens(pro.portal())
    visitor.follows("Update subscription")
    visitor.page.get_by_role("radio", name="$200.00 per year").check()
    visitor.presses("Continue")
    visitor.sees_heading("Confirm your updates")
    # The month has only just begun: all of its $20.00 comes off the year's $200.00.
    expect(visitor.page.get_by_test_id("due-now")).to_have_text("$180.00")
    visitor.sees("Unused time on")
    assert pro.now().items.data[0].price.id == pro.monthly  # type: ignore[union-attr]
    visitor.presses("Confirm")
    visitor.sees("Your plan has been changed.")
    visitor.sees("$200.00 per year")
    assert pro.now().items.data[0].price.id == pro.yearly  # type: ignore[union-attr]
    expect(visitor.page.get_by_role("row").filter(has_text="$180.00")).to_contain_text("Paid")


@pytest.mark.always
def test_cancelling_and_renewing(visitor: Visitor, pro: Subscribed) -> None:
    visitor.opens(pro.portal())
    visitor.follows("Cancel subscription")
    visitor.sees("still available until the end of your billing period")
    visitor.presses("Cancel subscription")
    visitor.sees("Your subscription has been canceled.")
    visitor.sees("Cancels soon")
    assert cancels_at(pro.now()) is not None
    expect(visitor.page.get_by_role("link", name="Update subscription")).to_have_count(0)
    visitor.follows("Don’t cancel subscription")
    visitor.presses("Renew subscription")
    visitor.sees("Your subscription has been renewed.")
    assert cancels_at(pro.now()) is None
    assert pro.now().status == "active"


def test_cancelling_at_once_with_a_reason(visitor: Visitor, merchant: Merchant) -> None:
    asked = {"enabled": True, "options": ["too_expensive", "other"]}
    feature = {"enabled": True, "mode": "immediately", "cancellation_reason": asked}
    pro = subscribed(merchant, features={"subscription_cancel": feature})
    visitor.opens(pro.portal())
    visitor.follows("Cancel subscription")
    visitor.page.get_by_label("It’s too expensive").check()
    visitor.page.get_by_label("Anything else?").fill("Too much <b>for</b> me")
    visitor.presses("Cancel subscription")
    visitor.sees("You have no subscription at the moment.")
    ended = pro.now()
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.feedback == "too_expensive"
    assert ended.cancellation_details.comment == "Too much <b>for</b> me"


@pytest.mark.always
def test_another_card_becomes_the_default(visitor: Visitor, pro: Subscribed) -> None:
    visitor.opens(pro.portal())
    visitor.follows("Update payment method")
    visitor.fills_in(DECLINED)
    visitor.presses("Save card")
    visitor.problem("Your card was declined.")
    visitor.fills_in(MASTERCARD)
    visitor.presses("Save card")
    visitor.sees("Your payment method has been updated.")
    visitor.sees("Mastercard •••• 4444")
    customer = pro.merchant.client.v1.customers.retrieve(pro.customer)
    assert customer.invoice_settings is not None
    default = str(customer.invoice_settings.default_payment_method)
    assert pro.merchant.client.v1.payment_methods.retrieve(default).card.last4 == "4444"  # type: ignore[union-attr]


def test_the_details_can_be_changed(visitor: Visitor, pro: Subscribed) -> None:
    visitor.opens(pro.portal())
    visitor.follows("Update information")
    visitor.page.get_by_label("Name").fill("Jenny <script>")
    visitor.page.get_by_label("Email").fill("new@example.com")
    visitor.page.get_by_label("Address line 1").fill("1 Main St")
    visitor.page.get_by_label("Country or region").select_option("DE")
    visitor.presses("Save")
    visitor.sees("Your details have been updated.")
    visitor.sees("Jenny <script>")
    customer = pro.merchant.client.v1.customers.retrieve(pro.customer)
    assert (customer.email, customer.phone) == ("new@example.com", None)
    assert customer.address is not None
    assert (customer.address.line1, customer.address.country) == ("1 Main St", "DE")


def test_a_flow_shows_one_thing_and_comes_back(visitor: Visitor, pro: Subscribed) -> None:
    item = pro.now().items.data[0].id  # type: ignore[union-attr]
    wanted = [{"id": item, "price": pro.yearly}]
    url = pro.flow("subscription_update_confirm", subscription=pro.id, items=wanted)
    visitor.opens(url)
    visitor.sees_heading("Confirm your updates")
    expect(visitor.page.get_by_role("link", name="Back to billing")).to_have_count(0)
    visitor.opens(f"{url}/payment-method")  # the rest of the portal is closed
    visitor.sees_heading("Confirm your updates")
    visitor.presses("Confirm")
    visitor.page.wait_for_url("**/done?flow=finished")
    assert pro.now().items.data[0].price.id == pro.yearly  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("type", "heading"),
    [
        ("payment_method_update", "Update your payment method"),
        ("customer_update", "Update your information"),
        ("subscription_cancel", "Cancel your subscription"),
        ("subscription_update", "Update your plan"),
    ],
)
def test_each_flow_begins_where_it_should(
    visitor: Visitor, pro: Subscribed, type: str, heading: str
) -> None:
    about = {"subscription": pro.id} if type.startswith("subscription") else {}
    visitor.opens(pro.flow(type, **about))
    visitor.sees_heading(heading)
    visitor.follows("Go back")
    visitor.page.wait_for_url("**/done?back=1")


def test_a_flow_of_several_pages_comes_back_at_its_end(visitor: Visitor, pro: Subscribed) -> None:
    visitor.opens(pro.flow("subscription_update", subscription=pro.id))
    visitor.page.get_by_role("radio", name="$200.00 per year").check()
    visitor.presses("Continue")
    visitor.presses("Confirm")
    visitor.page.wait_for_url("**/done?flow=finished")


def test_a_cancellation_flow_may_end_with_words_of_the_shop(
    visitor: Visitor, pro: Subscribed
) -> None:
    after = {
        "type": "hosted_confirmation",
        "hosted_confirmation": {"custom_message": "We are sorry to see you go."},
    }
    cancel = {"subscription": pro.id}
    visitor.opens(
        pro.portal(
            flow_data={
                "type": "subscription_cancel",
                "subscription_cancel": cancel,
                "after_completion": after,
            }
        )
    )
    visitor.presses("Cancel subscription")
    visitor.sees_heading("We are sorry to see you go.")
    visitor.follows("Back to billing")
    visitor.sees("Cancels soon")


def test_a_change_that_needs_the_bank_waits_for_it(visitor: Visitor, merchant: Merchant) -> None:
    pro = subscribed(merchant)
    visitor.opens(pro.portal())
    visitor.follows("Update payment method")
    visitor.fills_in(CHALLENGED)
    visitor.presses("Save card")
    visitor.sees("Your payment method has been updated.")
    visitor.follows("Update subscription")
    visitor.page.get_by_role("radio", name="$200.00 per year").check()
    visitor.presses("Continue")
    visitor.presses("Confirm")
    visitor.answers("Complete")
    visitor.sees("Your payment has gone through.")
    assert pro.now().items.data[0].price.id == pro.yearly  # type: ignore[union-attr]


def test_a_price_that_is_not_offered_is_refused(visitor: Visitor, pro: Subscribed) -> None:
    other = pro.merchant.price(1)
    visitor.opens(f"{pro.portal()}/subscriptions/{pro.id}/preview?price={other}")
    visitor.sees("This plan is not offered.")
    assert pro.now().items.data[0].price.id == pro.monthly  # type: ignore[union-attr]


def test_a_subscription_of_somebody_else_is_not_shown(
    visitor: Visitor, pro: Subscribed, merchant: Merchant
) -> None:
    stranger = subscribed(merchant)
    visitor.opens(f"{pro.portal()}/subscriptions/{stranger.id}/cancel")
    visitor.sees("There is no such subscription.")


def test_links_go_stale(visitor: Visitor, alone: FakeStripe, merchant: Merchant) -> None:
    pro = subscribed(Merchant(alone.client(), merchant.url))
    unused, used = pro.portal(), pro.portal()
    visitor.opens(used)
    alone.advance(301)
    visitor.opens(unused)
    visitor.sees_heading("This link has expired")
    visitor.opens(used)
    expect(visitor.page.get_by_role("link", name="Update subscription")).to_be_visible()
    visitor.opens(unused)
    visitor.page.get_by_role("link", name=re.compile("^Return to")).click()
    visitor.page.wait_for_url("**/done?back=1")


def failed_renewal(alone: FakeStripe, merchant: Merchant) -> Subscribed:
    """A subscription whose second month could not be charged."""
    pro = subscribed(Merchant(alone.client(), merchant.url), "pm_card_chargeCustomerFail",
                     trial_period_days=7)  # fmt: skip
    alone.advance(8 * 24 * 3600 + 7200)
    assert pro.now().status == "past_due"
    return pro


def test_a_failed_renewal_is_recovered_with_another_card(
    visitor: Visitor, alone: FakeStripe, merchant: Merchant
) -> None:
    pro = failed_renewal(alone, merchant)
    visitor.opens(pro.portal())
    visitor.sees("Your last payment failed.")
    visitor.follows("Update payment method")
    visitor.fills_in(MASTERCARD)
    visitor.presses("Save card")
    visitor.sees("Your payment method has been updated.")
    assert pro.now().status == "active"
    expect(visitor.page.get_by_text("Your last payment failed.")).to_have_count(0)


def test_a_card_cannot_be_sent_past_the_script(visitor: Visitor, merchant: Merchant) -> None:
    held: list[Route] = []
    visitor.page.route("**/hosted/pay.js", lambda route: held.append(route))
    url = subscribed(merchant).flow("payment_method_update")
    visitor.page.goto(url, wait_until="commit")
    save = visitor.page.get_by_role("button", name="Save card")
    expect(save).to_be_disabled()
    held[0].continue_()
    expect(save).to_be_enabled()


def test_an_open_invoice_is_paid_from_the_history(
    visitor: Visitor, alone: FakeStripe, merchant: Merchant
) -> None:
    pro = failed_renewal(alone, merchant)
    visitor.opens(pro.portal())
    visitor.page.get_by_role("link", name=re.compile("^Pay invoice")).click()
    visitor.sees("$20.00")
    visitor.presses("Pay $20.00")  # with the card that failed
    visitor.problem("Your card was declined.")
    visitor.page.get_by_text("Pay with another card").click()
    visitor.fills_in(CHALLENGED)
    visitor.presses("Pay with this card")
    visitor.answers("Complete")
    expect(visitor.page.get_by_text("Paid", exact=True)).to_be_visible()
    expect(visitor.page.get_by_role("button")).to_have_count(0)
    assert pro.now().status == "active"


def test_a_month_later_there_are_two_invoices(
    visitor: Visitor, alone: FakeStripe, merchant: Merchant
) -> None:
    pro = subscribed(Merchant(alone.client(), merchant.url))
    alone.advance(MONTH)
    visitor.opens(pro.portal())
    expect(visitor.page.get_by_role("row").filter(has_text="Paid")).to_have_count(2)


def test_the_card_given_at_checkout_is_shown_and_replaced(
    visitor: Visitor, merchant: Merchant
) -> None:
    customer, price = merchant.customer(), merchant.price()
    visitor.opens(merchant.session(price, customer=customer).url)
    visitor.fills_in(GOOD)
    visitor.presses("Subscribe")
    visitor.page.wait_for_url("**/done?**")
    visitor.opens(merchant.portal(customer, merchant.configuration(price)))
    visitor.sees("Visa •••• 4242")
    visitor.follows("Update payment method")
    visitor.fills_in(MASTERCARD)
    visitor.presses("Save card")
    visitor.sees("Mastercard •••• 4444")
    expect(visitor.page.get_by_text("Visa •••• 4242")).to_have_count(0)
    (subscription,) = merchant.client.v1.subscriptions.list({"customer": customer}).data
    default = merchant.client.v1.payment_methods.retrieve(str(subscription.default_payment_method))
    assert default.card is not None
    assert default.card.last4 == "4444"


PAUSING = {"subscription_pause": {"enabled": True}}


def test_pausing_and_resuming_within_the_paid_period(visitor: Visitor, merchant: Merchant) -> None:
    pro = subscribed(merchant, features=PAUSING)
    visitor.opens(pro.portal())
    visitor.follows("Pause subscription")
    visitor.presses("Pause subscription")
    visitor.sees("Your subscription has been paused.")
    assert pro.now().status == "paused"
    visitor.follows("Resume subscription")
    visitor.sees("in the period that you have paid for")
    visitor.presses("Resume subscription")
    visitor.sees("Your subscription has been resumed.")
    assert pro.now().status == "active"
    expect(visitor.page.get_by_role("row").filter(has_text="Paid")).to_have_count(1)


def test_resuming_after_the_paid_period_charges_for_a_new_one(
    visitor: Visitor, alone: FakeStripe, merchant: Merchant
) -> None:
    pro = subscribed(Merchant(alone.client(), merchant.url), features=PAUSING)
    visitor.opens(pro.flow("subscription_pause", subscription=pro.id))
    visitor.presses("Pause subscription")
    visitor.page.wait_for_url("**/done?flow=finished")
    alone.advance(2 * MONTH)
    assert pro.now().status == "paused"
    visitor.opens(pro.portal())
    visitor.follows("Resume subscription")
    visitor.sees("A new period begins today and is charged today.")
    visitor.presses("Resume subscription")
    visitor.sees("Your subscription has been resumed.")
    assert pro.now().status == "active"
    expect(visitor.page.get_by_role("row").filter(has_text="Paid")).to_have_count(2)
