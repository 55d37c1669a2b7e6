"""Somebody tries stolen cards: how far that goes, and that an honest customer gets through."""

import time
from collections.abc import Callable

from flask import Flask

from storefront import card_testing
from storefront.db import db
from tests.support.builders import a_payment, a_user, declined, deliver
from tests.support.served import ServedShop, eventually
from tests.web.visitor import PASSWORD, a_visitor

DECLINED = "pm_card_visa_chargeDeclined"


def declines(app: Flask, user_id: str) -> int:
    with app.app_context():
        return card_testing.declines(db.session(), user_id)


def test_ten_declines_end_it_at_the_shop_and_at_stripe(shop: ServedShop) -> None:
    ada = shop.a_buyer()
    visitor = a_visitor(shop.app)
    visitor.signs_in(PASSWORD, ada.email)
    opened = visitor.order({"pack": "usd_5"}).json
    assert opened is not None
    for _ in range(10):
        assert shop.pays(opened["intent_id"], DECLINED).status_code == 402
    eventually(lambda: declines(shop.app, ada.id) == 10, "all declines are told")
    refused = visitor.order({"pack": "usd_5"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert "Too many cards were declined" in refused.text
    shop.work_once()
    assert shop.status(opened["payment_id"]) == "canceled"
    eleventh = shop.pays(opened["intent_id"], "pm_card_visa")
    assert eleventh.status_code == 400, "Stripe takes no card for it any more"
    assert shop.balance(ada) == 0


def test_a_decline_told_twelve_times_is_one(app: Flask) -> None:
    purchase, other = a_payment(app), a_user(app)
    event = declined(purchase)
    for _ in range(12):
        assert deliver(app.test_client(), event).status_code == 200
    assert declines(app, purchase.customer.id) == 1
    assert declines(app, other.id) == 0, "another customer's are their own"


def test_declines_of_more_than_an_hour_ago_are_forgiven(app: Flask) -> None:
    purchase = a_payment(app)
    for _ in range(10):
        event = declined(purchase, created=int(time.time()) - 3700)
        assert deliver(app.test_client(), event).status_code == 200
    assert declines(app, purchase.customer.id) == 0
    with app.app_context():
        card_testing.admit(db.session(), purchase.customer.id, "192.0.2.1", 1)


def test_payments_are_opened_so_often_from_one_network(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(PAYMENTS_PER_HOUR="2")
    answers = []
    for _ in range(3):
        visitor = a_visitor(shop)
        visitor.signs_in(PASSWORD, a_user(shop).email)
        answers.append(visitor.order({"pack": "usd_5"}).status_code)
    assert answers[2] == 429
    assert 429 not in answers[:2], "Stripe cannot be reached here; the limit was not"
