"""The ways to Stripe's pages: Checkout and the portal, for whom they open and for whom not."""

import re
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront.checkouts import Checkout
from storefront.db import db, utcnow
from storefront.users import User
from tests.support.at_checkout import buys
from tests.support.billing_rows import a_subscription, known_prices
from tests.support.builders import Customer, a_user
from tests.support.races import at_once
from tests.support.served import ServedShop
from tests.web.test_pages import a_customer
from tests.web.visitor import Visitor, a_visitor, main_text

JSON = {"Accept": "application/json"}
MONTHLY = {"plan": "premium_plan", "interval": "monthly"}


def a_buyer(shop: ServedShop) -> tuple[Customer, Visitor]:
    """Signed in at a shop where everything is for sale; not known to Stripe yet."""
    shop.apply_catalog()
    buyer, visitor = shop.a_buyer(), a_visitor(shop.app)
    assert visitor.signs_in(email=buyer.email).status_code == 303
    return buyer, visitor


def checks_out(visitor: Visitor, **fields: str) -> TestResponse:
    return visitor.submit("/billing/checkout", token_from="/billing", **fields)


def asks_portal(visitor: Visitor, **fields: str) -> TestResponse:
    return visitor.submit("/billing/portal", token_from="/billing", **fields)


def checkouts_of(app: Flask, customer: Customer) -> list[str]:
    with app.app_context():
        mine = select(Checkout.id).where(Checkout.user_id == customer.id)
        return list(db.session.scalars(mine))


def portal_flow(shop: ServedShop, answer: TestResponse) -> Any:
    """The portal session at Stripe that an answer leads to."""
    assert answer.status_code == 303, main_text(answer)
    assert answer.location.startswith(shop.stripe.url), answer.location
    sessions = shop.stripe.control("objects?type=billing_portal.session&limit=100")["data"]
    return next(it for it in sessions if answer.location.endswith(it["id"]))


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "premium_plan", "interval": "monthly"},
        {"plan": "premium_plan", "interval": "yearly", "quantity": "1"},
        {"plan": "standard_pack", "interval": "one_time"},
        {"plan": "standard_pack"},
    ],
)
def test_off_to_checkout(shop: ServedShop, fields: dict[str, str]) -> None:
    buyer, visitor = a_buyer(shop)
    answer = checks_out(visitor, **fields)
    assert answer.status_code == 303
    assert answer.location.startswith(shop.stripe.url)
    again = checks_out(visitor, **fields)
    assert again.location == answer.location, "the same choice is the same visit"
    assert len(checkouts_of(shop.app, buyer)) == 1


def test_a_double_click_opens_one_checkout(shop: ServedShop) -> None:
    buyer, visitor = a_buyer(shop)
    data = {"csrf_token": visitor.token("/billing"), **MONTHLY}
    session = visitor.client.get_cookie("session")
    assert session is not None
    cookies = {"session": session.value}

    def click() -> str:
        answer = requests.post(
            f"{shop.url}/billing/checkout",
            data=data,
            cookies=cookies,
            allow_redirects=False,
            timeout=30,
        )
        return answer.headers["Location"]

    locations = at_once(shop.app, [click, click])
    assert str(locations[0]).startswith(shop.stripe.url)
    assert locations[0] == locations[1]
    assert len(checkouts_of(shop.app, buyer)) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"plan": "gold"}, "There is no such plan. Plans: free_tier, standard_pack, premium_plan."),
        ({}, "There is no such plan."),
        ({"plan": "free_tier"}, "Free costs nothing, so there is nothing to buy."),
        ({"plan": "premium_plan"}, "Premium is not sold that way. It is sold: monthly or yearly."),
        ({"plan": "premium_plan", "interval": "weekly"}, "Premium is not sold that way."),
        ({"plan": "standard_pack", "interval": "monthly"}, "Standard Pack is not sold that way."),
        ({"plan": "standard_pack", "quantity": "2"}, "The quantity of Standard Pack must be 1."),
        ({"plan": "standard_pack", "quantity": "0"}, "The quantity of Standard Pack must be 1."),
        ({"plan": "standard_pack", "quantity": "-1"}, "The quantity must be a whole number"),
        ({"plan": "standard_pack", "quantity": "1.5"}, "The quantity must be a whole number"),
        ({"plan": "standard_pack", "quantity": "٣"}, "The quantity must be a whole number"),
        ({"plan": "standard_pack", "quantity": "9" * 40}, "The quantity must be a whole number"),
        ({"plan": "<b>x", "interval": "\0"}, "There is no such plan."),
    ],
)
def test_what_cannot_be_bought_is_refused_with_the_reason(
    app: Flask, fields: dict[str, str], says: str
) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    answer = checks_out(visitor, **fields)
    assert answer.status_code == 400
    assert says in main_text(answer)
    assert "<b>x" not in answer.text
    assert "<h1>Billing</h1>" in answer.text
    assert checkouts_of(app, customer) == []


@pytest.mark.parametrize(
    "extra",
    [
        {"price": "price_1"},
        {"stripe_price_id": "price_1"},
        {"amount": "1"},
        {"price_id": ""},
        {"trial_days": "900"},
    ],
)
def test_prices_are_never_taken_from_a_form(app: Flask, extra: dict[str, str]) -> None:
    known_prices(app)
    customer, visitor = a_customer(app)
    for path in ("/billing/checkout", "/billing/portal"):
        answer = visitor.submit(path, token_from="/billing", **MONTHLY, **extra)
        assert answer.status_code == 400
        assert "nothing else; prices are the shop&#39;s." in answer.text
    assert checkouts_of(app, customer) == []


def test_the_choice_is_kept_when_something_goes_wrong(app: Flask) -> None:
    """The stand-in of this shop is not reachable."""
    known_prices(app)
    _, visitor = a_customer(app)
    answer = checks_out(visitor, plan="premium_plan", interval="yearly")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    [alert] = re.findall(r'role="alert">([^<]*)<', answer.text)
    assert "Nothing was charged; try again in a moment." in alert
    assert "Go Premium yearly" in answer.text
    assert re.search(r'plan-chosen" id="plan-premium_plan"', answer.text)


def test_programs_are_told_as_programs(app: Flask) -> None:
    _, visitor = a_customer(app)
    data = {"csrf_token": visitor.token("/billing"), "plan": "gold"}
    for path in ("/billing/checkout", "/billing/portal"):
        answer = visitor.client.post(path, data=data, headers=JSON)
        assert answer.status_code == 400
        assert answer.content_type == "application/problem+json"


def test_a_plan_without_a_price_at_stripe_is_not_sold(app: Flask) -> None:
    _, visitor = a_customer(app)
    answer = checks_out(visitor, **MONTHLY)
    assert answer.status_code == 400
    assert "Premium is not available yet. Nothing was charged." in main_text(answer)


def test_a_one_time_plan_is_sold_once(shop: ServedShop) -> None:
    buyer, visitor = a_buyer(shop)
    buys(shop.app, buyer, "standard_pack")
    shop.work_once()
    answer = checks_out(visitor, plan="standard_pack")
    assert answer.status_code == 400
    assert "You have bought Standard Pack already." in main_text(answer)


def test_a_subscriber_is_sent_to_the_portal_to_change(shop: ServedShop) -> None:
    _, visitor = a_subscriber(shop)
    answer = checks_out(visitor, plan="premium_plan", interval="yearly")
    flow = portal_flow(shop, answer)["flow"]
    assert flow["type"] == "subscription_update_confirm"
    same = checks_out(visitor, plan="premium_plan", interval="monthly")
    assert same.status_code == 400
    assert "This is your plan already." in main_text(same)


def a_subscriber(shop: ServedShop) -> tuple[Customer, Visitor]:
    buyer, visitor = a_buyer(shop)
    buys(shop.app, buyer, "premium_plan", "monthly")
    shop.work_once()
    assert "Renews on" in main_text(visitor.get("/billing"))
    return buyer, visitor


def test_the_portal_s_three_tasks(shop: ServedShop) -> None:
    _, visitor = a_subscriber(shop)
    back = f"{shop.url}/billing"
    home = portal_flow(shop, asks_portal(visitor))
    assert (home["flow"], home["return_url"]) == (None, back)
    for action, kind in (
        ("update_card", "payment_method_update"),
        ("cancel", "subscription_cancel"),
    ):
        session = portal_flow(shop, asks_portal(visitor, action=action))
        assert session["flow"]["type"] == kind
        after = session["flow"]["after_completion"]
        assert (after["type"], after["redirect"]["return_url"]) == ("redirect", back)
        assert session["configuration"] == home["configuration"]


def test_who_is_not_known_to_stripe_is_told_so_on_billing(shop: ServedShop) -> None:
    _, visitor = a_buyer(shop)
    for fields in ({}, {"action": "update_card"}):
        answer = asks_portal(visitor, **fields)
        assert (answer.status_code, answer.location) == (303, "/billing")
        assert "There is nothing to manage yet" in main_text(visitor.get("/billing"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "refund"}, "There is no such action. Actions: update_card, cancel."),
        ({"action": "cancel"}, "There is no subscription to cancel."),
        (MONTHLY, "You have no subscription to change."),
        ({"plan": "gold", "interval": "monthly"}, "There is no such plan."),
        ({"interval": "monthly"}, "There is no such plan."),
        ({"plan": "premium_plan"}, "Premium is sold monthly or yearly."),
        ({"plan": "standard_pack", "interval": "one_time"}, "is not a subscription"),
        ({"plan": "free_tier", "interval": "monthly"}, "is not a subscription"),
        ({"action": "cancel", **MONTHLY}, "Send either an action, or a plan and an interval."),
    ],
)
def test_what_the_portal_cannot_do(app: Flask, fields: dict[str, str], says: str) -> None:
    known_prices(app)
    _, visitor = a_customer(app)
    answer = asks_portal(visitor, **fields)
    assert answer.status_code == 400
    assert says in main_text(answer)


def test_what_is_canceled_already(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer, cancel_at=utcnow())
    answer = asks_portal(visitor, action="cancel")
    assert answer.status_code == 400
    assert "ends by itself" in main_text(answer)


def test_somebody_else_s_subscription_is_out_of_reach(shop: ServedShop) -> None:
    a_subscriber(shop)
    stranger = a_user(shop.app)
    visitor = a_visitor(shop.app)
    assert visitor.signs_in(email=stranger.email).status_code == 303
    for fields in ({"action": "cancel"}, {"plan": "premium_plan", "interval": "yearly"}):
        assert asks_portal(visitor, **fields).status_code == 400


def test_whoever_comes_back_from_the_portal_sees_what_they_did(shop: ServedShop) -> None:
    """Nobody works here but the web: Billing asks by itself, once."""
    subscriber, visitor = a_subscriber(shop)
    assert asks_portal(visitor, action="cancel").status_code == 303
    client = shop.stripe.client()
    with shop.app.app_context():
        customer = db.session.get_one(User, subscriber.id).stripe_customer_id
    assert customer is not None
    [subscription] = client.v1.subscriptions.list({"customer": customer}).data
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    page = visitor.get("/billing")
    assert "You keep it until" in main_text(page)
    assert "portal_visit=;" in page.headers["Set-Cookie"]


def test_coming_back_while_stripe_is_down_shows_what_we_know(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer)
    visitor.client.set_cookie("portal_visit", "1")
    page = visitor.get("/billing")
    assert page.status_code == 200
    assert "Renews on" in main_text(page)
