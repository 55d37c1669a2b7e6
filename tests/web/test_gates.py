"""Pages that only some plans have, and the sample of one: reports."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from storefront import ledger, reports
from storefront.db import db, transaction, utcnow
from tests.support.billing_rows import a_subscription
from tests.support.builders import Customer, a_payment, a_user
from tests.web.test_pages import a_customer, counting_queries, move
from tests.web.visitor import a_visitor, main_text

JSON = {"Accept": "application/json"}
NOW = datetime(2027, 2, 10, 12, tzinfo=UTC)


def test_who_has_the_feature_comes_in(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer)
    page = visitor.get("/reports")
    assert page.status_code == 200
    assert "Credits in and out of your balance" in main_text(page)
    assert 'href="/reports"' in visitor.get("/billing").text


def test_who_has_it_not_is_told_which_plan_has(app: Flask) -> None:
    _, visitor = a_customer(app)
    page = visitor.get("/reports")
    assert page.status_code == 403
    assert "Reports about everything is part of Premium." in main_text(page)
    assert 'href="/billing#plans"' in page.text
    assert 'href="/reports"' not in visitor.get("/billing").text
    problem = visitor.get("/reports", headers=JSON)
    assert (problem.status_code, problem.get_json()["code"]) == (403, "feature_missing")
    assert problem.content_type == "application/problem+json"


def test_who_is_signed_out_signs_in_first(app: Flask) -> None:
    assert a_visitor(app).get("/reports").location == "/login?next=/reports"


@pytest.mark.parametrize(
    ("status", "days_past_due", "expected"),
    [
        ("trialing", None, 200),
        ("past_due", 1, 200),
        ("past_due", 30, 403),
        ("unpaid", None, 403),
        ("paused", None, 403),
        ("canceled", None, 403),
    ],
)
def test_the_gate_follows_the_subscription(
    app: Flask, status: str, days_past_due: int | None, expected: int
) -> None:
    customer, visitor = a_customer(app)
    since = utcnow() - timedelta(days=days_past_due) if days_past_due else None
    a_subscription(app, customer, status, past_due_since=since)
    assert visitor.get("/reports").status_code == expected


def test_several_plans_may_have_it_or_none(shop_with: Callable[..., Flask], tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    packs = '[[packs]]\ncode = "p"\nname = "P"\nprice = 500\ncurrency = "usd"\ncredits = 5\n'
    plan = (
        '[[plans]]\ncode = "{0}"\nbilling = "one_time"\nname = "Plan {0}"\ncurrency = "usd"\n'
        'one_time = 900\nfeatures = ["Reports"]\n'
    )
    path.write_text(packs)
    _, visitor = a_customer(shop_with(CATALOG_PATH=str(path)))
    assert "No plan that is on sale at the moment has this." in main_text(visitor.get("/reports"))
    path.write_text(packs + "".join(plan.format(name) for name in ("one", "two", "three")))
    shop = shop_with(CATALOG_PATH=str(path))
    customer, visitor = a_customer(shop)
    refused = main_text(visitor.get("/reports"))
    assert "Reports is part of Plan one, Plan two or Plan three." in refused
    bought = {"kind": "purchase", "pack_or_plan": "two", "amount_received": 900}
    a_payment(shop, customer, status="succeeded", **bought)
    assert visitor.get("/reports").status_code == 200


def test_reports_take_few_queries_however_many_movements(app: Flask) -> None:
    customer, visitor = a_customer(app)
    a_subscription(app, customer)
    for credits in range(1, 20):
        move(app, customer, "top_up", credits)
    with counting_queries(app) as queries:
        assert visitor.get("/reports").status_code == 200
    assert len(queries) <= 5, queries


def moves(app: Flask, customer: Customer, code: str, credits: int, at: datetime) -> None:
    order = ledger.Order(
        id=f"{code}:{at.isoformat()}", code=code, user_id=customer.id, credits=credits,
        happened_at=at,
    )  # fmt: skip
    with app.app_context(), transaction() as session:
        ledger.transfer(session, order)


def test_months_are_calendar_months_in_utc(app: Flask) -> None:
    """The last and the first moment of a month, across a year, and what is too old."""
    customer = a_user(app)
    for at in (
        datetime(2026, 2, 28, 23, 59, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
        datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC),
    ):
        moves(app, customer, "top_up", 100, at)
    moves(app, customer, "spend", 30, datetime(2027, 1, 2, tzinfo=UTC))
    with app.app_context():
        months = reports.by_month(db.session(), customer.id, NOW)
        nobody = reports.by_month(db.session(), a_user(app).id, NOW)
    seen = {f"{it.first:%Y-%m}": (it.received, it.used) for it in months}
    assert list(seen)[:3] == ["2027-02", "2027-01", "2026-12"]
    assert len(seen) == 12
    assert list(seen)[-1] == "2026-03"
    assert {name: it for name, it in seen.items() if any(it)} == {
        "2027-01": (200, 30),
        "2026-12": (100, 0),
    }
    assert not any(it.received or it.used for it in nobody)
