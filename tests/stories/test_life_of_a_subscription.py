"""What becomes of a subscription: changed, canceled and resumed in the portal, renewed, not paid,
on trial, and over."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.served import eventually
from tests.support.shop import RunningShop
from tests.support.subscriber import VISA, Subscriber

pytestmark = pytest.mark.browser

DECLINED_LATER = "4000 0000 0000 0341"  # can be saved, and pays nothing
DAY_SECONDS = 24 * 3600
MORE_THAN_A_MONTH = 32 * DAY_SECONDS


def test_a_second_tab_changes_the_subscription_instead_of_buying_another(
    subscriber: Subscriber,
) -> None:
    """From months to years: opened before there was a subscription, pressed when there is."""
    other = subscriber.opens_another_tab()
    other.visits("/billing?interval=yearly")
    subscriber.subscribes()
    other.presses("Go Premium yearly")
    other.sees_heading("Confirm your updates")
    expect(other.page.get_by_test_id("due-now")).to_have_text("$441.00")
    other.presses("Confirm")
    other.sees("for $490/year")
    other.has("Premium", "Active")
    other.sees_balance("5,000")  # a month was paid back, and a month of the year granted
    assert len(subscriber.at_stripe("subscription")) == 1


def test_switched_canceled_and_resumed_in_the_portal_then_ended(
    subscriber: Subscriber, shop: RunningShop
) -> None:
    subscriber.subscribes()
    subscriber.follows("Yearly")
    subscriber.presses("Switch to yearly")
    subscriber.presses("Confirm")
    subscriber.sees("for $490/year")
    subscriber.has("Premium", "Active")

    subscriber.presses("Cancel plan")
    subscriber.presses("Cancel subscription")
    subscriber.sees("You keep it until")
    subscriber.has("Premium", "Ending")
    subscriber.presses("Keep my plan")
    subscriber.follows("Don’t cancel subscription")
    subscriber.presses("Renew subscription")
    subscriber.follows(re.compile("^Return to"))
    subscriber.sees("Renews on")
    subscriber.has("Premium", "Active")
    subscriber.sees_balance("5,000")

    shop.stripe_api("DELETE", f"subscriptions/{subscriber.subscription()['id']}")
    subscriber.sees_soon("It ended on")
    subscriber.has("Free", "Ended")
    assert not subscriber.may_see_reports()
    subscriber.is_written_to("Your subscription at Storefront has ended", "Premium ended on")


def test_a_renewal_and_one_that_fails(subscriber: Subscriber, shop: RunningShop) -> None:
    """A month later the next credits are there. Another month later the card does not pay: the plan
    goes on for a while, and a new card settles it."""
    subscriber.subscribes()
    shop.stripe("clock", {"advance_seconds": MORE_THAN_A_MONTH})
    renewed(subscriber, 2)

    subscriber.presses("Update card")
    subscriber.fills_in(DECLINED_LATER)
    subscriber.presses("Save card")
    subscriber.has("Premium", "Active")
    shop.stripe("clock", {"advance_seconds": MORE_THAN_A_MONTH})
    subscriber.sees_soon("Your last payment failed. Update your card to keep your plan")
    subscriber.has("Premium", "Payment failed")
    subscriber.is_written_to("Your payment failed at Storefront: $49.00", "We try again on")
    assert subscriber.may_see_reports()

    subscriber.presses("Update card")
    subscriber.fills_in(VISA)
    subscriber.presses("Save card")
    subscriber.has("Premium", "Active")
    renewed(subscriber, 3)


def test_a_trial_that_ends(subscriber: Subscriber, shop: RunningShop) -> None:
    subscriber.visits("/billing")
    subscriber.sees("14 days free, then $99/month")
    subscriber.presses("Choose Team monthly")
    expect(subscriber.page.get_by_test_id("total")).to_have_text("$0.00")
    subscriber.fills_in()
    subscriber.presses("Start trial")
    subscriber.sees_heading("Team is active")
    subscriber.has("Team", "Trial")
    subscriber.sees_balance("0")
    assert subscriber.may_see_reports()
    shop.stripe("clock", {"advance_seconds": 12 * DAY_SECONDS})
    subscriber.is_written_to("Your trial at Storefront ends on", "$99.00 each month")
    assert subscriber.mails("Your receipt") == []
    shop.stripe("clock", {"advance_seconds": 3 * DAY_SECONDS})
    subscriber.sees_soon("Renews on")
    subscriber.has("Team", "Active")
    subscriber.is_written_to("Your receipt from Storefront: Team, monthly, $99.00", "12,000")
    subscriber.visits("/billing")
    subscriber.sees_balance("12,000")


def renewed(subscriber: Subscriber, periods: int) -> None:
    """So many periods are paid, each with its invoice, its credits and a receipt. (None of the
    credits has expired: they do so by the shop's clock, and only Stripe's was moved.)"""
    invoices = subscriber.page.get_by_role("region", name="Invoices")
    paid = invoices.get_by_text("Paid", exact=True)
    balance = subscriber.page.get_by_test_id("balance").first
    expected = (periods, f"{5000 * periods:,}")
    subscriber.looks_until(lambda: (paid.count(), balance.inner_text()) == expected, str(expected))
    receipts = "Your receipt from Storefront: Premium, monthly, $49.00"
    eventually(lambda: len(subscriber.mails(receipts)) == periods, f"{periods} receipts")
