"""The figures of the overview against a model that adds them up by hand."""

import random
from datetime import UTC, datetime, time, timedelta

from flask import Flask

from storefront import ledger, work
from storefront.admin import days, overview
from storefront.admin.overview import Figures
from storefront.db import db, transaction, utc_text, utcnow
from tests.admin.operator import Operator
from tests.support import books
from tests.support.billing_rows import a_subscription, an_invoice, known_prices
from tests.support.builders import a_user
from tests.support.money_back import a_paid_top_up, a_refund, hears, refunded
from tests.web.visitor import main_text

DAYS = 5


def at(now: datetime, days_ago: int) -> datetime:
    """Some moment of that day (UTC)."""
    noon = datetime.combine(now.date() - timedelta(days=days_ago), time(0, 0, 1), UTC)
    return noon + timedelta(seconds=random.randint(0, 80_000) if days_ago else 0)


def test_figures_are_what_one_would_add_up(app: Flask) -> None:
    now = utcnow()
    money, back, held = [0] * DAYS, [0] * DAYS, [0] * DAYS
    for _ in range(12):
        ago = random.randint(0, DAYS + 2)
        amount, credits = random.choice([(500, 500), (2500, 2750)])
        bought = a_paid_top_up(app, amount=amount, credits=credits)
        hears(app, refunded(a_refund(bought, 100)))
        taken = credits * 100 // amount
        _move(app, bought.id, utc_text(at(now, ago)))
        for day in range(DAYS):
            held[day] += credits - taken if DAYS - 1 - day <= ago else 0
            money[day] += amount if DAYS - 1 - day == ago else 0
            back[day] += 100 if DAYS - 1 - day == ago else 0
    an_invoice(app, a_user(app), amount=4900, paid_at=at(now, 1))
    an_invoice(app, a_user(app), amount=900, currency="jpy", paid_at=at(now, 1))
    money[DAYS - 2] += 4900
    debtor = a_user(app)
    with app.app_context(), transaction() as session:
        ledger.transfer(session, ledger.Order("t", "adjustment_out", debtor.id, 70))
    held[DAYS - 1] -= 70
    with app.app_context():
        found = overview.figures(db.session(), now, "usd", DAYS)
    assert found.currency == "usd"
    assert list(found.money_in.values) == money
    assert list(found.refunds.values) == back
    assert list(found.outstanding.values) == held
    assert (found.owed, found.others) == (70, {"jpy": (900, 0)})
    _kept_days_say_the_same(app, now, found)


def _kept_days_say_the_same(app: Flask, now: datetime, found: Figures) -> None:
    """Once finished days are summed up, they are not read again; today goes on."""
    with app.app_context():
        days.keep(now)
        assert overview.figures(db.session(), now, "usd", DAYS) == found
    a_paid_top_up(app, amount=500, credits=500)
    yesterday = a_paid_top_up(app, amount=300, credits=300)
    _move(app, yesterday.id, utc_text(at(now, 1)))
    with app.app_context():
        later = overview.figures(db.session(), now, "usd", DAYS)
        assert later.money_in.last == found.money_in.last + 500
        assert later.money_in.values[:-1] == found.money_in.values[:-1]
        days.keep(now)  # an hour later, what was told late is there as well
        latest = overview.figures(db.session(), now, "usd", DAYS)
    assert latest.money_in.values[-2] == found.money_in.values[-2] + 300


def _move(app: Flask, payment_id: str, moment: str) -> None:
    """As if it had all been then. The ledger's trigger has nothing against times of creation."""
    with app.app_context():
        sqlite = db.engine.dialect.name == "sqlite"
    off = "DROP TRIGGER IF EXISTS ledger_transfers_no_update"
    if not sqlite:
        off = "ALTER TABLE ledger_transfers DISABLE TRIGGER ALL"
    books.execute(
        app,
        off,
        "UPDATE ledger_transfers SET created_at = :at WHERE payment_id = :id",
        "UPDATE payments SET created_at = :at WHERE id = :id",
        "UPDATE refunds SET created_at = :at WHERE payment_id = :id",
        *([] if sqlite else ["ALTER TABLE ledger_transfers ENABLE TRIGGER ALL"]),
        at=moment,
        id=payment_id,
    )


def test_subscriptions_are_counted_back_from_what_they_are(app: Flask) -> None:
    now = utcnow()
    known_prices(app)
    people = [a_user(app) for _ in range(5)]
    a_subscription(app, people[0], started_at=at(now, 40))
    a_subscription(app, people[1], interval="yearly", started_at=at(now, 2))
    a_subscription(app, people[2], "canceled", started_at=at(now, 40), ended_at=at(now, 1))
    a_subscription(app, people[3], "trialing", started_at=at(now, 2))
    a_subscription(app, people[4], "canceled", started_at=at(now, 40), ended_at=at(now, 30))
    plan = app.extensions["catalog"].plan("premium_plan")
    monthly, yearly = plan.monthly.amount, plan.yearly.amount // 12
    with app.app_context():
        found = overview.figures(db.session(), now, "usd", DAYS)
    assert found.subscriptions.values == (2, 2, 3, 2, 2)
    before, between, after = 2 * monthly, 2 * monthly + yearly, monthly + yearly
    assert found.mrr.values == (before, before, between, after, after)


def test_the_page_says_what_needs_a_person(app: Flask, operator: Operator) -> None:
    shown = main_text(operator.get("/admin"))
    assert "0 events failed every event had its effect" in shown
    assert "no worker has run yet" in shown
    assert "No comparison with Stripe’s books never made yet" in shown
    wrong = a_refund("pi_unknown") | {"amount": "much"}
    assert hears(app, refunded(wrong)) == ["parked"]
    books.execute(
        app,
        "INSERT INTO schedule_runs (name, started_at, took_ms, error)"
        " VALUES ('verify_ledger', :now, 12, 'The books differ')",
        now=utc_text(utcnow()),
    )
    page = operator.get("/admin")
    assert "1 parked: they wait for you" in main_text(page)
    entries = len(work.SCHEDULE)
    assert f"1 of {entries} schedules in trouble verify ledger" in main_text(page)
    assert 'aria-label="Money in, the last 30 days: $0.00 in all' in page.text
    assert "The books differ" in main_text(operator.get("/admin/ledger"))
