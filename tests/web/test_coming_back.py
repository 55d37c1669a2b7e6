"""Coming back from Checkout: the truth about one's own order, nothing about anybody else's, and
whatever an address claims changes nothing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from storefront.checkouts import Checkout
from storefront.db import transaction, utcnow
from storefront.errors import ConfigError
from tests.support.at_checkout import PROCESSING, buys, confirms, opens_checkout
from tests.support.billing_rows import a_subscription, an_invoice, known_prices
from tests.support.builders import Customer, deliver
from tests.support.checkouts import a_checkout, completed, expired, failed_late
from tests.support.served import ServedShop
from tests.web.test_going_to_stripe import a_buyer
from tests.web.test_pages import a_customer
from tests.web.visitor import Visitor, a_visitor, main_text

JSON = {"Accept": "application/json"}


def comes_back(visitor: Visitor, session_id: str) -> str:
    """What the panel says."""
    page = visitor.get("/billing", query_string=success(session_id)).text
    found = re.search(r'<section id="returned".*?</section>', page, re.S)
    assert found, "there is no panel"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip()


def success(session_id: str) -> dict[str, str]:
    return {"checkout_status": "success", "session_id": session_id}


def session_of(shop: ServedShop, customer: Customer) -> str:
    """The session of the customer's one checkout; asked of Stripe again the next time."""
    with shop.app.app_context(), transaction() as session:
        long_ago = utcnow() - timedelta(hours=1)
        mine = update(Checkout).where(Checkout.user_id == customer.id)
        found = session.scalars(mine.values(updated_at=long_ago).returning(Checkout)).one()
        assert found.stripe_session_id is not None
        return found.stripe_session_id


def test_a_subscription_is_active_at_once(shop: ServedShop) -> None:
    """No worker works here: the page itself asks, by the same functions."""
    buyer, visitor = a_buyer(shop)
    buys(shop.app, buyer, "premium_plan", "yearly")
    said = comes_back(visitor, session_of(shop, buyer))
    assert "Premium is active" in said
    assert "Premium, yearly" in said
    page = main_text(visitor.get("/billing"))
    assert "for $490/year" in page
    assert "$490.00 Paid" in page
    assert visitor.get("/balance").get_json()["balance"] == 5000


def test_a_purchase_is_there_at_once(shop: ServedShop) -> None:
    buyer, visitor = a_buyer(shop)
    buys(shop.app, buyer, "standard_pack")
    said = comes_back(visitor, session_of(shop, buyer))
    assert "Standard Pack is yours. 3,000 credits are in your balance." in said
    assert comes_back(visitor, session_of(shop, buyer)) == said, "reloading changes nothing"
    assert visitor.get("/balance").get_json()["balance"] == 3000


def test_whoever_has_not_paid_is_not_told_otherwise(shop: ServedShop) -> None:
    buyer, visitor = a_buyer(shop)
    opened = opens_checkout(shop.app, buyer, "standard_pack")
    session_id = session_of(shop, buyer)
    said = comes_back(visitor, session_id)
    assert "Not paid yet" in said
    assert "Continue to payment" in said
    confirms(opened)
    assert "Payment succeeded" in comes_back(visitor, session_of(shop, buyer))


def test_a_slow_bank_is_waited_for_without_a_promise(shop: ServedShop) -> None:
    buyer, visitor = a_buyer(shop)
    buys(shop.app, buyer, "standard_pack", card=PROCESSING)
    said = comes_back(visitor, session_of(shop, buyer))
    assert "Your bank has not confirmed yet" in said
    assert visitor.get("/balance").get_json()["balance"] == 0


def test_somebody_else_s_order_is_as_if_it_were_not_there(app: Flask) -> None:
    """Nor is it told apart from one that never was, in the page or its status."""
    other, _ = a_customer(app)
    visit = a_checkout(app, other, status="complete", payment_status="paid")
    _, visitor = a_customer(app)
    foreign = visitor.get("/billing", query_string=success(visit.session_id))
    unknown = visitor.get("/billing", query_string=success("cs_test_never_was"))
    assert comes_back(visitor, visit.session_id) == comes_back(visitor, "cs_test_never_was")
    assert foreign.status_code == unknown.status_code == 200
    assert "We cannot find this order" in main_text(foreign)
    for id in (visit.id, f"chk_{'0' * 32}", "x", "chk_\x00", "chk_'; --"):
        answer = visitor.get(f"/billing/checkouts/{id}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "session_id",
    ["", "{CHECKOUT_SESSION_ID}", "<script>alert(1)</script>", "cs_\0", "cs_" + "x" * 9000, "cs_é",
     "cs_' OR '1'='1"],
)  # fmt: skip
def test_nonsense_in_the_address_does_no_harm(app: Flask, session_id: str) -> None:
    _, visitor = a_customer(app)
    page = visitor.get("/billing", query_string=success(session_id))
    assert page.status_code == 200
    assert "We cannot find this order" in main_text(page)
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("query", ["checkout_status=", "checkout_status=paid", "session_id=cs_1"])
def test_other_words_mean_nothing(app: Flask, query: str) -> None:
    _, visitor = a_customer(app)
    assert 'id="returned"' not in visitor.get(f"/billing?{query}").text


def test_the_address_of_an_order_is_told_to_nobody(app: Flask) -> None:
    _, visitor = a_customer(app)
    page = visitor.get("/billing", query_string=success("cs_test_x"))
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_canceled_keeps_the_choice(app: Flask) -> None:
    known_prices(app)
    _, visitor = a_customer(app)
    page = visitor.get("/billing?checkout_status=canceled&plan=premium_plan&interval=yearly")
    assert "Checkout canceled" in main_text(page)
    assert "Go Premium yearly" in main_text(page)
    assert re.search(r'plan-chosen" id="plan-premium_plan"', page.text)


def test_what_is_not_known_yet_is_asked_for_by_the_page(app: Flask) -> None:
    """Stripe is not reachable here, and the row is behind."""
    customer, visitor = a_customer(app)
    visit = a_checkout(app, customer, plan="premium_plan", interval="monthly", amount=4900)
    page = visitor.get("/billing", query_string=success(visit.session_id))
    assert f'data-url="/billing/checkouts/{visit.id}"' in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert "js/billing.js" in page.text
    assert "Check again" in main_text(page)
    json = visitor.get(f"/billing/checkouts/{visit.id}").get_json()
    assert (json["outcome"]["name"], json["outcome"]["settled"]) == ("pending", False)
    assert (json["plan"], json["interval"], json["balance"]) == ("premium_plan", "monthly", 0)


def test_what_is_known_is_asked_for_no_more(app: Flask) -> None:
    customer, visitor = a_customer(app)
    visit = a_checkout(app, customer, status="expired")
    page = visitor.get("/billing", query_string=success(visit.session_id)).text
    assert "This checkout has expired" in page
    assert "data-url" not in page
    assert "js/billing.js" not in page
    assert "http-equiv" not in page


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([completed], "Standard Pack is yours."),
        ([lambda visit: completed(visit, "unpaid")], "Your bank has not confirmed yet"),
        ([lambda visit: completed(visit, "unpaid"), failed_late], "Payment failed"),
        ([expired], "This checkout has expired"),
    ],
)
def test_what_the_webhook_told_is_believed(
    app: Flask, events: list[Callable[[Any], Any]], says: str
) -> None:
    customer, visitor = a_customer(app)
    visit = a_checkout(app, customer)
    for event in events:
        assert deliver(app.test_client(), event(visit)).status_code == 200
    assert says in comes_back(visitor, visit.session_id)


@pytest.mark.parametrize(
    ("status", "columns", "says"),
    [
        ("active", {}, "Premium is active"),
        ("trialing", {"trial_end": utcnow() + timedelta(days=9)}, "Your trial lasts until"),
        ("canceled", {"ended_at": utcnow()}, "It has changed since"),
        ("incomplete", {}, "we are switching it on"),
    ],
)
def test_an_old_address_tells_what_is_true_now(
    app: Flask, status: str, columns: dict[str, Any], says: str
) -> None:
    customer, visitor = a_customer(app)
    id = a_subscription(app, customer, status, **columns)
    an_invoice(app, customer, stripe_subscription_id=id, credited_at=utcnow())
    visit = a_checkout(
        app, customer, plan="premium_plan", interval="monthly", amount=4900,
        status="complete", payment_status="paid", stripe_subscription_id=id,
    )  # fmt: skip
    assert says in comes_back(visitor, visit.session_id)


PATHS = {
    "CHECKOUT_SUCCESS_PATH": "/dashboard/thanks?from=stripe&checkout_status=success",
    "CHECKOUT_CANCEL_PATH": "/dashboard/billing?checkout_status=canceled",
    "CUSTOMER_PORTAL_RETURN_PATH": "/dashboard/billing?tab=1",
}


def test_billing_answers_where_stripe_is_told_to_return_to(
    shop_with: Callable[..., Flask],
) -> None:
    shop = shop_with(**PATHS)
    customer, visitor = a_customer(shop)
    visit = a_checkout(shop, customer, status="expired")
    thanks = visitor.get(f"/dashboard/thanks?checkout_status=success&session_id={visit.session_id}")
    assert "This checkout has expired" in main_text(thanks)
    assert "Checkout canceled" in main_text(visitor.get(PATHS["CHECKOUT_CANCEL_PATH"]))
    assert "Your plan" in main_text(visitor.get(PATHS["CUSTOMER_PORTAL_RETURN_PATH"]))
    signed_out = a_visitor(shop).get("/dashboard/billing")
    assert signed_out.location == "/login?next=/dashboard/billing"


def test_pages_of_ours_keep_their_addresses(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(CHECKOUT_SUCCESS_PATH="/account?x=1", CUSTOMER_PORTAL_RETURN_PATH="/top-up/")
    _, visitor = a_customer(shop)
    assert "Credits in and out" in main_text(visitor.get("/account?x=1"))
    assert "<h1>Billing</h1>" in visitor.get("/top-up/").text


def test_a_path_that_cannot_be_a_route_is_refused_at_the_start(
    shop_with: Callable[..., Flask],
) -> None:
    with pytest.raises(ConfigError, match="CHECKOUT_CANCEL_PATH"):
        shop_with(CHECKOUT_CANCEL_PATH="/a<b")
