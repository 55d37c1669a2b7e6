"""Subscribing, changing, canceling: from Billing to Stripe's pages and back, as customers do it."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.buyer import Buyer

pytestmark = pytest.mark.browser
CARD = "4242 4242 4242 4242"


def pays_at_checkout(buyer: Buyer, button: str, card: str = CARD) -> None:
    """On Stripe's page."""
    page = buyer.page
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiration date").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name=button, exact=True).click()


def presses(buyer: Buyer, name: str) -> None:
    buyer.page.get_by_role("button", name=name, exact=True).click()


def has(buyer: Buyer, plan: str, status: str) -> None:
    expect(buyer.page.get_by_test_id("plan")).to_have_text(plan)
    expect(buyer.page.get_by_test_id("plan-status")).to_have_text(status)


def test_a_month_then_a_year_then_no_more_then_again(buyer: Buyer) -> None:
    page = buyer.page
    page.get_by_role("link", name="Billing").click()
    presses(buyer, "Go Premium monthly")
    pays_at_checkout(buyer, "Subscribe")
    expect(page.get_by_role("heading", name="Premium is active")).to_be_visible()
    has(buyer, "Premium", "Active")
    buyer.sees_balance("5,000")

    page.get_by_role("link", name="Yearly").click()
    presses(buyer, "Switch to yearly")
    presses(buyer, "Confirm")
    expect(page.get_by_text("for $490/year")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/billing$"))
    page.get_by_role("link", name="See your reports").click()
    expect(page.get_by_role("heading", name="The last 12 months")).to_be_visible()
    page.get_by_role("link", name="Billing").click()

    presses(buyer, "Cancel plan")
    presses(buyer, "Cancel subscription")
    expect(page.get_by_text("You keep it until")).to_be_visible()
    has(buyer, "Premium", "Ending")

    presses(buyer, "Keep my plan")
    page.get_by_role("link", name="Don’t cancel subscription").click()
    presses(buyer, "Renew subscription")
    page.get_by_role("link", name=re.compile("^Return to")).click()
    has(buyer, "Premium", "Active")


def test_a_pack_is_bought_once_and_a_cancel_keeps_the_choice(buyer: Buyer) -> None:
    page = buyer.page
    buyer.visits("/billing?interval=yearly")
    presses(buyer, "Go Premium yearly")
    page.get_by_role("link", name=re.compile("Back")).click()
    expect(page.get_by_role("heading", name="Checkout canceled")).to_be_visible()
    expect(page.get_by_role("button", name="Go Premium yearly")).to_be_visible()

    presses(buyer, "Buy for $29")
    pays_at_checkout(buyer, "Pay $29.00")
    expect(page.get_by_role("heading", name="Payment succeeded")).to_be_visible()
    buyer.sees_balance("3,000")
    expect(page.locator("#plan-standard_pack")).to_contain_text("Purchased")
