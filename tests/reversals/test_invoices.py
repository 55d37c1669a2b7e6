"""Refunds of a subscription's invoices: the credits of what they paid, also of those to come."""

from datetime import datetime
from functools import partial

import pytest
from flask import Flask

from storefront import reversals
from storefront.db import db, transaction
from storefront.subscriptions import Invoice
from storefront.web import current
from storefront.work.reversals import follow_grants
from storefront.work.settled import invoice_paid
from tests.subscriptions.paper import PaperShop, a_line, at
from tests.support import books, races
from tests.support.money_back import (
    a_dispute,
    a_refund,
    disputed,
    hears,
    moved_by,
    refunded,
)
from tests.support.races import raised
from tests.support.thoroughness import usually

JANUARY, FEBRUARY, NEXT_YEAR = at("2031-01-01"), at("2031-02-01"), at("2032-01-01")


def a_paid_month(shop: PaperShop) -> str:
    """Basic for January was paid by an intent: 1,000 credits. The intent."""
    shop.subscribed()
    invoice = shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    return paid_by(shop, invoice)


def a_paid_year(shop: PaperShop) -> str:
    """Basic for a year: 1,000 credits in each month, the first at once."""
    shop.subscribed()
    invoice = shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    return paid_by(shop, invoice)


def paid_by(shop: PaperShop, invoice: str) -> str:
    intent = f"pi_{invoice}"
    with shop.app.app_context(), transaction() as session:
        session.get_one(Invoice, invoice).stripe_intent_id = intent
    return intent


def works(shop: PaperShop, now: datetime) -> None:
    """What the worker does each minute, as if it were then."""
    shop.grants(now)
    with shop.app.app_context():
        follow_grants(current.work_context(), {})


def test_a_periods_credits_go_back_in_proportion_and_from_its_own_lot(app: Flask) -> None:
    shop = PaperShop(app)
    intent = a_paid_month(shop)
    refund = a_refund(intent, 250)
    assert hears(app, refunded(refund)) == ["handled"]
    assert shop.balance() == 750
    assert hears(app, refunded(a_refund(intent, 750))) == ["handled"]
    assert shop.balance() == 0
    hears(app, refunded(refund, "failed"))
    assert shop.balance() == 250
    books.assert_clean(app)


def test_a_month_that_comes_after_the_refund_is_refunded_in_part_as_well(app: Flask) -> None:
    """Half of the year's money is back: so is half of each month, whichever came first."""
    early, late = PaperShop(app), PaperShop(app)
    intents = [a_paid_year(shop) for shop in (early, late)]
    hears(app, refunded(a_refund(intents[0], 5000)))
    assert early.balance() == 500
    for shop in (early, late):
        works(shop, at("2031-03-15"))
    assert (early.balance(), late.balance()) == (1500, 3000)
    hears(app, refunded(a_refund(intents[1], 5000)))
    assert late.balance() == 1500
    works(early, at("2031-03-15"))
    assert early.balance() == 1500, "and once"
    books.assert_clean(app)


def test_when_all_is_refunded_nothing_more_comes_unless_the_refund_fails(app: Flask) -> None:
    shop = PaperShop(app)
    refund = a_refund(a_paid_year(shop), 10000)
    hears(app, refunded(refund))
    works(shop, at("2031-03-15"))
    assert (shop.balance(), shop.amounts()) == (0, [1000])
    hears(app, refunded(refund, "failed"))
    works(shop, at("2031-03-15"))
    assert shop.amounts() == [1000, 1000, 1000]
    assert shop.balance() == 3000
    books.assert_clean(app)


def test_a_disputed_year_stops_until_the_dispute_is_won(app: Flask) -> None:
    shop = PaperShop(app)
    dispute = a_dispute(a_paid_year(shop), 10000)
    hears(app, disputed(dispute, "funds_withdrawn"))
    works(shop, at("2031-02-15"))
    assert (shop.balance(), shop.amounts()) == (0, [1000])
    hears(app, disputed(dispute, "funds_reinstated", status="won"))
    works(shop, at("2031-02-15"))
    assert shop.balance() == 2000
    books.assert_clean(app)


def at_once(shop: PaperShop, invoice: str) -> None:
    """What the worker does as soon as the invoice is credited."""
    with shop.app.app_context():
        invoice_paid(current.work_context(), {"invoice_id": invoice})


@pytest.mark.parametrize("followed", ["at once", "in the next minute", "both"])
def test_a_refund_that_is_heard_of_before_the_invoice_is_credited(
    app: Flask, followed: str
) -> None:
    shop = PaperShop(app)
    shop.subscribed()
    facts = shop.invoice(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    shop.stores(facts)
    hears(app, refunded(a_refund(paid_by(shop, facts.id), 400)))
    assert shop.balance() == 0
    assert shop.credits(facts)
    if followed != "in the next minute":
        at_once(shop, facts.id)
    if followed != "at once":
        works(shop, JANUARY)
    assert shop.balance() == 600
    assert moved_by(app, shop.customer.id) == [("refund", -400)]
    books.assert_clean(app)


def test_the_credits_own_job_and_the_minutes_work_at_once_take_a_part_once(app: Flask) -> None:
    for _ in range(usually(2 if books.is_sqlite(app) else 6, thorough=20)):
        shop = PaperShop(app)
        shop.subscribed()
        facts = shop.invoice(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
        shop.stores(facts)
        hears(app, refunded(a_refund(paid_by(shop, facts.id), 400)))
        assert shop.credits(facts)
        steps = [partial(at_once, shop, facts.id), partial(works, shop, JANUARY)] * 2
        assert raised(races.at_once(app, steps)) == []
        assert shop.balance() == 600
        assert moved_by(app, shop.customer.id) == [("refund", -400)]
    books.assert_clean(app)


@pytest.mark.parametrize("first", ["followed", "failed"])
def test_failing_and_following_may_come_in_either_order(app: Flask, first: str) -> None:
    shop = PaperShop(app)
    intent = a_paid_year(shop)
    kept, failing = a_refund(intent, 2500), a_refund(intent, 2500)
    hears(app, refunded(kept), refunded(failing))
    assert shop.balance() == 500
    shop.grants(at("2031-02-15"))
    if first == "followed":
        works(shop, at("2031-02-15"))
    hears(app, refunded(failing, "failed"))
    works(shop, at("2031-02-15"))
    assert shop.balance() == 1500
    with app.app_context():
        assert reversals.invoices_to_follow(db.session(), 10) == []
    books.assert_clean(app)
