"""The whole way of a plan over real HTTP: fakestripe signs and delivers, the worker asks back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from storefront import entitlements, users
from storefront.entitlements import Entitlement
from tests.support import books
from tests.support.at_checkout import buys
from tests.support.builders import Customer
from tests.support.checkouts import rows
from tests.support.served import ServedShop, eventually

DAY = 24 * 3600
GRACE = timedelta(days=7)


def has(app: Flask, customer: Customer) -> Entitlement:
    with app.app_context():
        user = users.find(customer.id)
        return entitlements.of(user, app.extensions["catalog"], GRACE)


def works_until(shop: ServedShop, condition: Callable[[], bool], what: str) -> None:
    def after_work() -> bool:
        shop.work_once()
        return condition()

    eventually(after_work, what)


@pytest.fixture
def buyer(shop: ServedShop) -> Customer:
    shop.apply_catalog()
    return shop.a_buyer()


def test_a_one_time_plan_is_there_by_the_delivered_webhook(
    shop: ServedShop, buyer: Customer
) -> None:
    buys(shop.app, buyer, "standard_pack")
    eventually(lambda: shop.balance(buyer) == 3000, "the webhook credits")
    assert has(shop.app, buyer).plan_name == "Standard Pack"
    shop.stripe.redelivers("checkout.session.completed", times=3)
    shop.stripe.redelivers("payment_intent.succeeded", times=3)
    shop.stripe.drain()
    shop.work_once()
    assert shop.balance(buyer) == 3000
    assert len(books.read(shop.app).payments) == 1
    books.assert_clean(shop.app)


def test_a_subscription_lives_and_ends_as_stripe_tells(shop: ServedShop, buyer: Customer) -> None:
    buys(shop.app, buyer, "premium_plan", "monthly")
    works_until(shop, lambda: shop.balance(buyer) == 5000, "the first month is credited")
    assert has(shop.app, buyer).has("reports")
    shop.stripe.advance(32 * DAY)
    works_until(shop, lambda: shop.balance(buyer) == 10_000, "the second month is credited")
    (row,) = rows(shop.app, "subscriptions").values()
    shop.stripe.client().v1.subscriptions.cancel(row["stripe_subscription_id"])
    works_until(shop, lambda: not has(shop.app, buyer).access, "the end is heard of")
    assert has(shop.app, buyer).status == "canceled"
    assert set(books.read(shop.app).event_states().values()) == {"handled", "ignored"}
    books.assert_clean(shop.app)


def test_events_twice_and_shuffled_end_alike(shop: ServedShop, buyer: Customer) -> None:
    for fault in ({"kind": "twice"}, {"kind": "shuffled", "hold": 4, "seed": 7}):
        shop.stripe.control("webhook_faults", fault)
    buys(shop.app, buyer, "premium_plan", "yearly")
    shop.stripe.control("webhook_faults", method="DELETE")
    for event in shop.stripe.events():
        shop.stripe.control(f"events/{event['id']}/redeliver", {"times": 2})
    shop.stripe.drain()
    works_until(shop, lambda: shop.balance(buyer) == 5000, "the first month is credited, once")
    shop.work_once()
    assert shop.balance(buyer) == 5000
    assert has(shop.app, buyer).interval == "yearly"
    books.assert_clean(shop.app)


def test_a_customer_deleted_at_stripe_loses_access_and_may_come_back(
    shop: ServedShop, buyer: Customer
) -> None:
    buys(shop.app, buyer, "premium_plan", "monthly")
    works_until(shop, lambda: has(shop.app, buyer).access, "access")
    customer_id = books.read(shop.app).users[buyer.id]["stripe_customer_id"]
    shop.stripe.client().v1.customers.delete(customer_id)
    works_until(shop, lambda: not has(shop.app, buyer).access, "the end is heard of")
    assert books.read(shop.app).users[buyer.id]["stripe_customer_id"] is None
    buys(shop.app, buyer, "premium_plan", "monthly")
    works_until(shop, lambda: has(shop.app, buyer).access, "access again")
    assert shop.balance(buyer) == 10_000
