"""Catching up with fakestripe's events, for tests."""

from typing import Any

from flask import Flask

from storefront import catching_up, handlers
from storefront.db import db
from tests.fakestripe.harness import JSON, FakeStripe
from tests.support import books
from tests.support.builders import Customer
from tests.support.served import ServedShop

COUNTS = ("listed", "known", "missing", "failed")
KEY = "story-0123456789"


def catches_up(app: Flask, **options: Any) -> books.Row:
    """Catch up, and tell what was found as a plain row."""
    with app.app_context():
        run = catching_up.catch_up(app.extensions["stripe_gateway"], **options)
        return {column.name: getattr(run, column.name) for column in run.__table__.columns}


def counts(run: books.Row) -> tuple[int, ...]:
    """How many Stripe listed, we had, were missing, have failed."""
    return tuple(run[name] for name in COUNTS)


def walks(app: Flask) -> list[books.Row]:
    with app.app_context():
        found = db.session.execute(db.text("SELECT * FROM event_walks ORDER BY types"))
        return [dict(row) for row in found.mappings()]


def wanted(stripe: FakeStripe) -> list[JSON]:
    """The events that have a handler here, oldest first."""
    return [event for event in stripe.events() if event["type"] in handlers.HANDLERS]


def sells(shop: ServedShop, count: int = 3) -> list[Customer]:
    """Buyers who have paid for 1,000 credits each."""
    buyers = [shop.a_buyer() for _ in range(count)]
    for buyer in buyers:
        shop.buys(buyer, "usd_10", KEY)
    return buyers


def is_busy(stripe: FakeStripe, events: int) -> None:
    """Make so many events of one handled type, about a customer of nobody's."""
    client = stripe.client()
    customer = client.v1.customers.create({"name": "0"})
    for number in range(1, events + 1):
        client.v1.customers.update(customer.id, {"name": str(number)})


def balances(shop: ServedShop, buyers: list[Customer]) -> list[int]:
    found = books.read(shop.app)
    return [found.balance(buyer.id) for buyer in buyers]
