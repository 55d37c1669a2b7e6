"""A customer at Checkout without a browser: opening it as the page does, paying as Stripe's page
does."""

from datetime import UTC, datetime
from typing import Any

import requests
from flask import Flask
from sqlalchemy import update

from storefront import checkouts, prices, users
from storefront.catalog import Catalog, Price
from storefront.checkouts import Checkout, Opened
from storefront.db import db, transaction
from storefront.errors import StorefrontError
from tests.fakestripe.harness import FakeStripe
from tests.support.builders import Customer

VISA, DECLINED = "4242424242424242", "4000000000000002"
PROCESSING, FAILING = "4000009999000014", "4000009999000022"
"""Cards of fakestripe alone: paid, or failed, three minutes later."""

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
INTERVALS = {"monthly": "month", "yearly": "year"}


def make_prices(stripe: FakeStripe, catalog: Catalog) -> None:
    """Products and prices at fakestripe for all that the catalogue sells."""
    client = stripe.client()
    for plan in catalog.plans:
        for price in plan.prices:
            product = client.v1.products.create({"name": plan.name})
            client.v1.prices.create({"product": product.id, **_price(price)})


def learn_prices(app: Flask) -> None:
    """The shop asks Stripe what it sells, and everything is there."""
    with app.app_context():
        assert prices.refresh(app.extensions["stripe_gateway"], app.extensions["catalog"]) == []


def _price(price: Price) -> Any:
    given: dict[str, Any] = {
        "currency": price.currency,
        "unit_amount": price.amount,
        "lookup_key": price.lookup_key,
    }
    if price.interval in INTERVALS:
        given["recurring"] = {"interval": INTERVALS[price.interval]}
    return given


def opens_checkout(
    app: Flask,
    customer: Customer,
    plan: str = "standard_pack",
    interval: str = "one_time",
    quantity: int = 1,
) -> Opened:
    """open_checkout() in a request of its own. Raises what it raises."""
    with app.app_context():
        return checkouts.open_checkout(
            app.extensions["stripe_gateway"],
            app.extensions["catalog"],
            app.extensions["storefront_config"],
            users.find(customer.id),
            plan,
            interval,
            quantity,
        )


def confirms(opened: Opened, card: str = VISA) -> dict[str, Any]:
    """What Stripe's page answers when the customer has pressed the button."""
    assert opened.url is not None
    details = {"number": card, "exp_month": 12, "exp_year": 2040, "cvc": "123", "country": "US"}
    answer = requests.post(f"{opened.url}/confirm", json={"card": details}, timeout=30)
    said: dict[str, Any] = answer.json()
    return said


def buys(
    app: Flask, customer: Customer, plan: str, interval: str = "one_time", card: str = VISA
) -> Opened:
    opened = opens_checkout(app, customer, plan, interval)
    assert "url" in confirms(opened, card)
    return opened


def comes_back(app: Flask, customer: Customer, opened: Opened) -> str:
    """The success page, a moment after it was asked last; where the checkout stands then."""
    assert opened.checkout_id is not None
    with app.app_context():
        with transaction() as session:
            mine = update(Checkout).where(Checkout.id == opened.checkout_id)
            session.execute(mine.values(updated_at=LONG_AGO))
        checkout = checkouts.find(db.session(), opened.checkout_id, customer.id)
        checkouts.refresh(
            app.extensions["stripe_gateway"], app.extensions["catalog"], False, checkout
        )
        return checkouts.standing(db.session(), checkout)


def refusal(app: Flask, customer: Customer, plan: Any, interval: str, quantity: int = 1) -> str:
    """Why a checkout is not opened."""
    try:
        opened = opens_checkout(app, customer, plan, interval, quantity)
    except StorefrontError as error:
        return error.detail
    raise AssertionError(f"it was opened: {opened}")
