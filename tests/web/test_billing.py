"""Billing: what one has in plain words, what there is to buy, and what it costs to show it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from storefront import overview, subscriptions
from storefront.db import db, utcnow
from storefront.subscriptions import LIVE
from storefront.web.pages import format_day
from tests.support.billing_rows import (
    a_debt,
    a_subscription,
    an_invoice,
    known_prices,
)
from tests.support.builders import Customer, a_payment
from tests.web.test_pages import a_customer, counting_queries
from tests.web.visitor import Visitor, main_text

SOON, LATER = timedelta(days=3), timedelta(days=20)


def a_purchase(app: Flask, customer: Customer, status: str = "succeeded", **columns: Any) -> str:
    given: dict[str, Any] = {"amount": 2900, "credits": 3000, "kind": "purchase"}
    given |= {"pack_or_plan": "standard_pack", "amount_received": 2900} | columns
    return a_payment(app, customer, status=status, **given).id


def section(visitor: Visitor, name: str, path: str = "/billing") -> str:
    """The text of one part of the page, named by its heading's id."""
    page = visitor.get(path).text
    found = re.search(rf'<section[^>]*aria-labelledby="{name}-heading".*?</section>', page, re.S)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip()


def card(visitor: Visitor, plan: str, path: str = "/billing") -> str:
    """The HTML of a plan's card."""
    begins = f'<li class="plan[^"]*" id="plan-{plan}"'
    ends = r'</li>\s*(?=<li class="plan|</ul>\s*<p)'
    found = re.search(f"{begins}.*?{ends}", visitor.get(path).text, re.S)
    assert found, plan
    return found[0]


def state(visitor: Visitor, plan: str, path: str = "/billing") -> str:
    found = re.search(r'data-state="(\w+)"', card(visitor, plan, path))
    assert found
    return found[1]


def test_a_new_customer_sees_the_free_plan_and_what_there_is(app: Flask) -> None:
    known_prices(app)
    _, visitor = a_customer(app)
    yours = section(visitor, "yours")
    assert "Free" in yours
    assert "One project" in yours
    assert "Projects 1" in yours
    plans = section(visitor, "plans")
    for text in ("$0", "$29", "$49 /month", "Go Premium monthly", "Buy for $29", "Popular"):
        assert text in plans
    assert (state(visitor, "free_tier"), state(visitor, "premium_plan")) == ("current", "buy")
    assert "What you buy once" in section(visitor, "purchases")
    assert "Every invoice" in section(visitor, "invoices")


def test_the_year_shows_what_a_month_of_it_costs_and_saves(app: Flask) -> None:
    known_prices(app)
    _, visitor = a_customer(app)
    premium = card(visitor, "premium_plan", "/billing?interval=yearly")
    for text in ("$490", "/year", "$40.83/month", "Save ~17%", "Go Premium yearly"):
        assert text in premium
    assert 'name="interval" value="yearly"' in premium
    page = visitor.get("/billing?interval=yearly").text
    assert re.findall(r'aria-current="true">(\w+)', page) == ["Yearly"]


@pytest.mark.parametrize("query", ["interval=weekly", "interval=%00", "plan=<b>x", "quantity=1e9"])
def test_what_makes_no_sense_in_the_address_is_as_if_it_were_not_there(
    app: Flask, query: str
) -> None:
    known_prices(app)
    _, visitor = a_customer(app)
    page = visitor.get(f"/billing?{query}")
    assert page.status_code == 200
    assert re.findall(r'aria-current="true">(\w+)', page.text) == ["Monthly"]
    assert "plan-chosen" not in page.text
    assert "<b>x" not in page.text


def test_without_prices_of_stripe_nothing_can_be_bought_and_nothing_breaks(app: Flask) -> None:
    _, visitor = a_customer(app)
    for plan in ("standard_pack", "premium_plan"):
        assert "Not yet available" in card(visitor, plan)
        assert "<form" not in card(visitor, plan)


def test_an_active_subscription(app: Flask) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    end = utcnow() + LATER
    a_subscription(app, customer, current_period_end=end)
    yours = section(visitor, "yours")
    for text in ("Premium", "monthly", "Active", f"Renews on {format_day(end)} for $49/month."):
        assert text in yours
    assert "5,000 credits each month, to use within the month." in yours
    assert "Projects unlimited" in yours
    assert "Update card" in yours
    assert "Cancel plan" in yours
    assert state(visitor, "premium_plan") == "current"
    assert state(visitor, "free_tier") == "included"
    switch = card(visitor, "premium_plan", "/billing?interval=yearly")
    assert "Switch to yearly" in switch
    assert 'action="/billing/portal"' in switch


def test_who_pays_by_the_year_sees_the_year(app: Flask) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    a_subscription(app, customer, interval="yearly")
    assert state(visitor, "premium_plan") == "current"
    assert state(visitor, "premium_plan", "/billing?interval=monthly") == "switch"


@pytest.mark.parametrize(
    ("status", "columns", "says"),
    [
        ("active", {"cancel_at": utcnow() + LATER}, "You keep it until"),
        ("active", {"cancel_at_period_end": True}, "You keep it until"),
        ("trialing", {"trial_end": utcnow() + SOON}, "Your trial lasts until"),
        ("trialing", {"trial_end": utcnow() + SOON, "cancel_at": utcnow() + SOON}, "Canceled."),
        ("past_due", {"past_due_since": utcnow() - SOON}, "Your last payment failed."),
        ("past_due", {"past_due_since": utcnow() - LATER}, "your plan is switched off"),
        ("unpaid", {}, "Several payments failed"),
        ("paused", {}, "Your plan is paused"),
        ("incomplete", {}, "The first payment has not gone through yet"),
        ("canceled", {"ended_at": utcnow() - SOON}, "It ended on"),
        ("a_word_of_tomorrow", {}, "Stripe calls it a word of tomorrow."),
    ],
)
def test_every_standing_is_told_in_words(
    app: Flask, status: str, columns: dict[str, Any], says: str
) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    a_subscription(app, customer, status, **columns)
    assert says in section(visitor, "yours")


def test_a_failed_payment_offers_another_card_and_the_invoice(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer, "past_due", past_due_since=utcnow())
    invoice = an_invoice(app, customer, "open", attempt_count=1)
    page = visitor.get("/billing").text
    assert 'name="action" value="update_card"' in page
    assert f'href="https://invoice.stripe.com/i/{invoice}"' in page
    assert "Pay $49.00 now" in page
    assert format_day(utcnow() + timedelta(days=7)) in section(visitor, "yours")


@pytest.mark.parametrize("status", ["unpaid", "paused", "incomplete"])
def test_what_must_be_settled_first_blocks_a_change(app: Flask, status: str) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    a_subscription(app, customer, status)
    assert state(visitor, "premium_plan") == "blocked"
    assert "Free" in section(visitor, "yours")


def test_a_plan_that_left_the_catalogue_breaks_nothing(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer, plan="gold_<plan>", interval="monthly")
    a_purchase(app, customer, pack_or_plan="old_pack")
    page = visitor.get("/billing")
    assert page.status_code == 200
    assert "gold_&lt;plan&gt;" in page.text
    assert "old_pack" in section(visitor, "purchases")


def test_a_purchase_is_listed_and_not_offered_again(app: Flask) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    payment_id = a_purchase(app, customer)
    assert "Standard Pack" in section(visitor, "purchases")
    assert "$29.00 Paid" in section(visitor, "purchases")
    assert state(visitor, "standard_pack") == "purchased"
    assert "E-mail support" in section(visitor, "yours")
    details = main_text(visitor.get(f"/payments/{payment_id}"))
    assert "What you bought is yours to keep." in details
    assert "Standard Pack, 3,000 credits" in details


@pytest.mark.parametrize(
    ("columns", "says", "then"),
    [
        ({"status": "processing", "amount_received": 0}, "$29.00 Processing", "purchased"),
        ({"amount_refunded": 1000}, "Partly refunded", "purchased"),
        ({"amount_refunded": 2900}, "Refunded", "buy"),
        ({"amount_received": 0}, "$0.00 Paid", "purchased"),
    ],
)
def test_states_of_a_purchase(app: Flask, columns: dict[str, Any], says: str, then: str) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    a_purchase(app, customer, **columns)
    assert says in section(visitor, "purchases")
    assert state(visitor, "standard_pack") == then


def test_a_purchase_that_a_bank_did_not_make(app: Flask) -> None:
    customer, visitor = a_customer(app)
    failed = a_purchase(app, customer, "canceled", failure_message="Your bank did not pay.")
    assert "Standard Pack" not in section(visitor, "purchases")
    page = visitor.get(f"/payments/{failed}")
    assert "Your bank did not pay. Nothing was charged." in main_text(page)
    assert 'href="/billing?plan=standard_pack"' in page.text


def test_how_many_can_be_chosen_where_there_may_be_several(
    shop_with: Callable[..., Flask], tmp_path: Path
) -> None:
    shop = shop_with(CATALOG_PATH=str(a_catalog_of_seats(tmp_path)))
    known_prices(shop)
    customer, visitor = a_customer(shop)
    assert 'max="5"' in card(visitor, "seat")
    a_purchase(shop, customer, pack_or_plan="seat", quantity=3)
    assert 'max="2"' in card(visitor, "seat")
    assert "You have 3." in card(visitor, "seat")
    assert "3 × Seat" in section(visitor, "purchases")


def a_catalog_of_seats(folder: Path) -> Path:
    path = folder / "seats.toml"
    path.write_text(
        '[[packs]]\ncode = "p"\nname = "P"\nprice = 500\ncurrency = "usd"\ncredits = 5\n'
        '[[plans]]\ncode = "seat"\nbilling = "one_time"\nname = "Seat"\ncurrency = "usd"\n'
        "one_time = 900\nmax_quantity = 5\n"
        '[[plans]]\ncode = "team"\nbilling = "subscription"\nname = "Team"\ncurrency = "usd"\n'
        "monthly = 1000\ntrial_days = 14\n"
    )
    return path


def test_a_trial_is_offered_once(shop_with: Callable[..., Flask], tmp_path: Path) -> None:
    shop = shop_with(CATALOG_PATH=str(a_catalog_of_seats(tmp_path)))
    known_prices(shop)
    customer, visitor = a_customer(shop)
    assert "14 days free, then $10/month" in card(visitor, "team")
    assert "Pay by the month" not in visitor.get("/billing").text, "there is no year to choose"
    a_subscription(shop, customer, "canceled", plan="team", ended_at=utcnow())
    assert "days free" not in card(visitor, "team")


def test_invoices_with_their_links(app: Flask) -> None:
    customer, visitor = a_customer(app)
    paid = an_invoice(app, customer, number="A-0001")
    an_invoice(app, customer, "open", attempt_count=2, hosted_invoice_url=None, invoice_pdf=None)
    an_invoice(app, customer, "draft", description="not yet ready")
    an_invoice(app, customer, amount=-3100, description="Change <of> plan")
    text, page = section(visitor, "invoices"), visitor.get("/billing").text
    for says in ("Premium, monthly", "A-0001", "$49.00 Paid", "Payment failed", "-$31.00"):
        assert says in text
    assert "not yet ready" not in text
    assert "Change &lt;of&gt; plan" in page
    assert f'href="https://invoice.stripe.com/i/{paid}" rel="noopener"' in page
    assert f'href="https://pay.stripe.com/invoice/{paid}/pdf" rel="noopener"' in page


def test_credits_that_the_next_grants_pay_off(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer)
    assert "next grants" not in section(visitor, "yours")
    a_debt(app, customer, 2000)
    assert "2,000 credits of your next grants settle" in section(visitor, "yours")


def test_nobody_sees_anything_of_anybody_else(app: Flask) -> None:
    known_prices(app)
    other, _ = a_customer(app)
    a_subscription(app, other)
    a_purchase(app, other)
    an_invoice(app, other, number="A-OTHER")
    a_debt(app, other, 2000)
    _, visitor = a_customer(app)
    page = visitor.get("/billing").text
    assert "A-OTHER" not in page
    assert "next grants" not in page
    assert state(visitor, "standard_pack") == "buy"
    assert state(visitor, "premium_plan") == "buy"


@pytest.mark.parametrize("much", [0, 30])
def test_it_takes_three_queries_however_long_the_history(app: Flask, much: int) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    for _ in range(much):
        a_subscription(app, customer, "canceled", ended_at=utcnow())
        an_invoice(app, customer)
        a_purchase(app, customer, amount_refunded=2900)
    a_subscription(app, customer)
    with counting_queries(app) as queries:
        assert visitor.get("/billing?checkout_status=canceled").status_code == 200
    assert len(queries) <= 3, queries
    assert visitor.get("/billing").text.count("View invoice") == min(much, overview.INVOICES)


def test_the_subscription_to_change_is_the_one_that_everybody_else_means(app: Flask) -> None:
    customer, _ = a_customer(app)
    for status in reversed(LIVE):
        wanted = a_subscription(app, customer, status)
        a_subscription(app, customer, "canceled")
        with app.app_context():
            session = db.session()
            seen = overview.read(session, customer.id).live
            live = subscriptions.live(session, customer.id)
            assert seen is live is not None
            assert live.stripe_subscription_id == wanted
            held = subscriptions.of_user(session, customer.id)
            assert overview.read(session, customer.id).subscriptions == held
    assert set(LIVE) == set(subscriptions.LIVE)


def test_what_is_owed_is_what_the_subscriptions_say(app: Flask) -> None:
    customer, _ = a_customer(app)
    a_debt(app, customer, 700)
    with app.app_context():
        session = db.session()
        assert overview.read(session, customer.id).owed == 700
        assert subscriptions.owed(session, customer.id) == 700
