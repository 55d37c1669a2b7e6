"""The success page: it asks Stripe by the functions that webhook and worker use, waits for neither,
and is no load on Stripe."""

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import checkouts
from storefront.db import db
from storefront.errors import NotFound
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.at_checkout import (
    FAILING,
    PROCESSING,
    buys,
    comes_back,
    confirms,
    opens_checkout,
    refusal,
)
from tests.support.builders import Customer, a_user
from tests.support.checkouts import rows

SLOW_BANK_SECONDS = 200


@pytest.fixture
def buyer(app: Flask) -> Customer:
    return a_user(app, stripe_id=None)


def test_a_page_that_was_not_paid_is_open(app: Flask, buyer: Customer) -> None:
    opened = opens_checkout(app, buyer)
    assert comes_back(app, buyer, opened) == "open"
    assert books.read(app).payments == {}


def test_a_page_that_has_expired_says_so(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    opened = opens_checkout(app, buyer)
    (row,) = rows(app, "checkouts").values()
    fakestripe.client().v1.checkout.sessions.expire(row["stripe_session_id"])
    assert comes_back(app, buyer, opened) == "expired"


def test_a_purchase_is_there_without_webhook_and_worker(app: Flask, buyer: Customer) -> None:
    opened = buys(app, buyer, "standard_pack")
    assert comes_back(app, buyer, opened) == "active"
    assert books.balance(app, buyer.id) == 3000
    assert comes_back(app, buyer, opened) == "active"
    assert books.balance(app, buyer.id) == 3000
    books.assert_clean(app)


def test_a_subscription_is_there_with_its_credits_without_webhook_and_worker(
    app: Flask, buyer: Customer
) -> None:
    opened = buys(app, buyer, "premium_plan", "monthly")
    assert comes_back(app, buyer, opened) == "active"
    assert books.balance(app, buyer.id) == 5000
    (subscription,) = rows(app, "subscriptions").values()
    assert (subscription["status"], subscription["plan"]) == ("active", "premium_plan")
    books.assert_clean(app)


def test_a_trial_is_there_without_credits(app: Flask, buyer: Customer) -> None:
    opened = buys(app, buyer, "tried_plan", "monthly")
    assert comes_back(app, buyer, opened) == "active"
    assert books.balance(app, buyer.id) == 0
    (subscription,) = rows(app, "subscriptions").values()
    assert subscription["status"] == "trialing"


@pytest.mark.parametrize(
    ("card", "then", "credits"), [(PROCESSING, "active", 3000), (FAILING, "failed", 0)]
)
def test_a_slow_bank_is_waited_for(
    app: Flask, buyer: Customer, fakestripe: FakeStripe, card: str, then: str, credits: int
) -> None:
    opened = buys(app, buyer, "standard_pack", card=card)
    assert comes_back(app, buyer, opened) == "processing"
    fakestripe.advance(SLOW_BANK_SECONDS)
    assert comes_back(app, buyer, opened) == then
    assert books.balance(app, buyer.id) == credits


def test_after_a_slow_bank_has_failed_it_can_be_bought_anew(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    first = buys(app, buyer, "standard_pack", card=FAILING)
    assert comes_back(app, buyer, first) == "processing"
    assert refusal(app, buyer, "standard_pack", "one_time").startswith("You have bought")
    fakestripe.advance(SLOW_BANK_SECONDS)
    assert comes_back(app, buyer, first) == "failed"
    second = opens_checkout(app, buyer, "standard_pack")
    confirms(second)
    assert comes_back(app, buyer, second) == "active"


def test_stripe_is_asked_every_two_seconds_at_most_and_never_once_all_is_there(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    opened = buys(app, buyer, "standard_pack")
    with app.app_context():
        checkout = checkouts.find(db.session(), opened.checkout_id or "", buyer.id)
        checkouts.refresh(*with_what(app), checkout)
        assert checkouts.standing(db.session(), checkout) == "open", "asked a moment ago"
    assert comes_back(app, buyer, opened) == "active"
    fakestripe.control("faults", {"kind": "drop"})
    try:
        assert comes_back(app, buyer, opened) == "active"
    finally:
        fakestripe.control("faults", method="DELETE")


def with_what(app: Flask) -> tuple[object, ...]:
    return app.extensions["stripe_gateway"], app.extensions["catalog"], False


def test_nobody_sees_what_another_bought(app: Flask, buyer: Customer) -> None:
    """And a stranger's checkout is told as one that never was."""
    opened = buys(app, buyer, "standard_pack")
    (row,) = rows(app, "checkouts").values()
    stranger = a_user(app)
    said = []
    with app.app_context():
        session = db.session()
        for find, id in (
            (checkouts.find, opened.checkout_id),
            (checkouts.find, "chk_of_nobody"),
            (checkouts.find_by_session, row["stripe_session_id"]),
            (checkouts.find_by_session, "cs_test_of_nobody"),
        ):
            with pytest.raises(NotFound) as refused:
                find(session, id, stranger.id)
            said.append(refused.value.detail)
        session.execute(text("SELECT 1"))
        mine = checkouts.find_by_session(session, row["stripe_session_id"], buyer.id)
        assert mine.id == opened.checkout_id
    assert len(set(said)) == 1


def test_purchases_are_listed_newest_first_and_counted(app: Flask, buyer: Customer) -> None:
    for quantity in (1, 3):
        opened = opens_checkout(app, buyer, "seats", "one_time", quantity)
        confirms(opened)
        comes_back(app, buyer, opened)
    with app.app_context():
        bought = checkouts.purchases(db.session(), buyer.id)
        assert [it.quantity for it in bought] == [3, 1]
        assert checkouts.owned(db.session(), buyer.id, "seats") == 4
        assert checkouts.owned(db.session(), buyer.id, "standard_pack") == 0
        assert checkouts.purchases(db.session(), "usr_of_nobody") == []


def test_what_was_open_beside_a_paid_one_is_closed_by_its_job(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    """As when two pages were opened at the same moment and one of them was paid."""
    paid = opens_checkout(app, buyer, "premium_plan", "monthly")
    books.execute(app, "UPDATE checkouts SET mode = 'payment'")
    other = opens_checkout(app, buyer, "premium_plan", "yearly")
    books.execute(app, "UPDATE checkouts SET mode = 'subscription'")
    confirms(paid)
    assert comes_back(app, buyer, paid) == "active"
    assert f"expire_checkouts:{paid.checkout_id}" in rows(app, "jobs", "key")
    with app.app_context():
        checkouts.expire_rivals(app.extensions["stripe_gateway"], paid.checkout_id or "")
    row = rows(app, "checkouts")[other.checkout_id or ""]
    assert row["status"] == "expired"
    assert fakestripe.control(f"objects/{row['stripe_session_id']}")["status"] == "expired"
