"""Settled sales are reported to Google Analytics once, for customers who allow it and shops that
want it, and what Google answers changes nothing for the customer."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import jobs, users
from storefront.config import Config
from storefront.db import db, transaction, utcnow
from storefront.jobs import MAXIMUM_ATTEMPTS
from storefront.ledger import Transfer
from tests.support.apps import an_app, closing, some_settings
from tests.support.billing_rows import a_subscription, an_invoice
from tests.support.builders import Customer, Purchase, a_payment, a_user, deliver, paid
from tests.support.ga4 import DROP, Analytics, google_analytics
from tests.support.promised import do_work, due_now, promised, row, states

SECRET = "the-secret-of-these-tests"
SETTINGS = {"GA4_MEASUREMENT_ID": "G-TESTS12345", "GA4_API_SECRET": SECRET}


@pytest.fixture
def google() -> Iterator[Analytics]:
    with google_analytics() as running:
        yield running


@pytest.fixture
def settings(database_url: str, tmp_path: Path, google: Analytics) -> Config:
    return some_settings(tmp_path, database_url, GA4_ENDPOINT=google.url, **SETTINGS)


def chooses(app: Flask, customer: Customer, allowed: bool) -> None:
    with app.app_context():
        users.set_analytics_consent(users.find(customer.id), allowed)


def client_id(app: Flask, customer: Customer) -> str | None:
    with app.app_context():
        return users.find(customer.id).analytics_client_id


@pytest.fixture
def willing(app: Flask) -> Customer:
    """A customer who allows statistics."""
    customer = a_user(app)
    chooses(app, customer, True)
    return customer


def pays(app: Flask, customer: Customer, *, linked: bool = True) -> Purchase:
    purchase = a_payment(app, customer, linked=linked)
    assert deliver(app.test_client(), paid(purchase)).status_code == 200
    return purchase


def a_purchase(app: Flask, customer: Customer, **columns: Any) -> str:
    """A one-time plan that was paid, and its promise; the payment's id."""
    given = {"amount": 2900, "credits": 0, "status": "succeeded", "kind": "purchase"}
    purchase = a_payment(app, customer, **given | columns)
    settled(app, purchase.id)
    return purchase.id


def settled(app: Flask, payment_id: str) -> None:
    promised(app, "payment_settled", f"payment_settled:{payment_id}", payment_id=payment_id)


def invoiced(app: Flask, customer: Customer, **columns: Any) -> str:
    invoice_id = an_invoice(app, customer, **columns)
    promised(app, "invoice_paid", f"invoice_paid:{invoice_id}", invoice_id=invoice_id)
    return invoice_id


@pytest.mark.parametrize("linked", [True, False], ids=["short way", "long way"])
def test_a_top_up_is_reported(
    app: Flask, google: Analytics, willing: Customer, linked: bool
) -> None:
    purchase = pays(app, willing, linked=linked)
    assert google.reports == [], "nothing is sent while the webhook waits"
    do_work(app)
    (report,) = google.reports
    assert report.path == "/mp/collect"
    assert report.query == {"measurement_id": "G-TESTS12345", "api_secret": SECRET}
    assert report.content_type == "application/json"
    with app.app_context():
        happened_at = db.session.get_one(Transfer, f"payment:{purchase.id}").happened_at
    assert report.body == {
        "client_id": client_id(app, willing),
        "timestamp_micros": int(happened_at.timestamp()) * 1_000_000 + happened_at.microsecond,
        "non_personalized_ads": True,
        "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
        "events": [
            {
                "name": "purchase",
                "params": {
                    "transaction_id": purchase.id,
                    "value": 10,
                    "currency": "USD",
                    "items": [
                        {
                            "item_id": "usd_10",
                            "item_name": "1,000 credits",
                            "price": 10,
                            "quantity": 1,
                        }
                    ],
                },
            }
        ],
    }


def test_no_report_says_who_the_customer_is(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    pays(app, willing)
    do_work(app)
    told = json.dumps(google.reports[0].body, default=str)
    for secret in (willing.id, willing.email, willing.stripe_id):
        assert secret not in told


def test_an_event_that_comes_again_is_reported_once(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    purchase = a_payment(app, willing)
    event = paid(purchase)
    for each in (event, event, paid(purchase)):
        deliver(app.test_client(), each)
        do_work(app)
    settled(app, purchase.id)
    do_work(app)
    assert len(google.reports) == 1


def test_a_worker_that_died_before_it_wrote_it_down_reports_the_same_transaction(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    """The protocol has no key against repeats but the transaction's id."""
    purchase = pays(app, willing)
    do_work(app)
    key = f"ga4_purchase:{purchase.id}"
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE jobs SET done_at = NULL WHERE key = :key"), {"key": key})
    due_now(app, key)
    do_work(app)
    first, second = google.reports
    assert first.body == second.body


@pytest.mark.parametrize("choice", [None, False], ids=["no choice", "no"])
def test_without_consent_nothing_is_even_promised(
    app: Flask, google: Analytics, choice: bool | None
) -> None:
    customer = a_user(app)
    if choice is not None:
        chooses(app, customer, choice)
    purchase = pays(app, customer)
    do_work(app)
    assert google.reports == []
    assert states(app)[f"mail_receipt:{purchase.id}"] == "done"
    assert f"ga4_purchase:{purchase.id}" not in states(app)


def test_without_the_settings_nothing_is_promised(database_url: str, tmp_path: Path) -> None:
    with closing(an_app(some_settings(tmp_path, database_url))) as app:
        customer = a_user(app)
        chooses(app, customer, True)
        purchase = pays(app, customer)
        do_work(app)
        assert f"ga4_purchase:{purchase.id}" not in states(app)


def test_settings_taken_away_meanwhile_end_the_matter(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(an_app(some_settings(tmp_path, database_url))) as app:
        customer = a_user(app)
        chooses(app, customer, True)
        purchase = pays(app, customer)
        key = f"ga4_purchase:{purchase.id}"
        promised(app, "ga4_purchase", key, payment_id=purchase.id)
        with caplog.at_level("INFO"):
            do_work(app)
        assert states(app)[key] == "done"
    assert "GA4 is not configured" in caplog.text


def test_a_consent_withdrawn_meanwhile_is_honoured(
    app: Flask, google: Analytics, willing: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    purchase = pays(app, willing)
    google.statuses = [500]
    do_work(app)
    chooses(app, willing, False)
    google.reports.clear()
    due_now(app, f"ga4_purchase:{purchase.id}")
    with caplog.at_level("INFO"):
        do_work(app)
    assert google.reports == []
    assert states(app)[f"ga4_purchase:{purchase.id}"] == "done"
    assert f"the purchase of {purchase.id} is not reported" in caplog.text
    assert willing.email not in caplog.text


@pytest.mark.parametrize("status", [500, 503, 404, 302, DROP])
def test_an_answer_that_is_not_a_yes_is_tried_again(
    app: Flask,
    google: Analytics,
    willing: Customer,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    google.statuses = [status]
    purchase = pays(app, willing)
    do_work(app)
    key = f"ga4_purchase:{purchase.id}"
    assert states(app)[key] == "failed"
    assert len(google.reports) == 1, "no redirect is followed: the address holds a secret"
    told = row(app, key)["last_error"]
    assert "Google Analytics" in told
    assert SECRET not in told + caplog.text, "neither the job nor the log tells the secret"
    due_now(app, key)
    do_work(app)
    assert (states(app)[key], len(google.reports)) == ("done", 2)


def test_a_google_that_is_away_is_no_secret_told(
    app: Flask, google: Analytics, willing: Customer, tmp_path: Path, database_url: str
) -> None:
    purchase = pays(app, willing)
    away = some_settings(tmp_path, database_url, GA4_ENDPOINT="http://127.0.0.1:9", **SETTINGS)
    with closing(an_app(away)) as other:
        do_work(other)
    job = row(app, f"ga4_purchase:{purchase.id}")
    assert job["last_error"] == "NotReported: Google Analytics did not answer (ConnectionError)."


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_is_given_up_where_everybody_can_see_it(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    purchase = pays(app, willing)
    key = f"ga4_purchase:{purchase.id}"
    google.statuses = [500] * MAXIMUM_ATTEMPTS
    do_work(app)
    for _ in range(MAXIMUM_ATTEMPTS - 1):
        due_now(app, key)
        do_work(app)
    assert (states(app)[key], len(google.reports)) == ("given up", MAXIMUM_ATTEMPTS)
    with app.app_context():
        (listed,) = jobs.listed(db.session())
    assert listed.key == key
    assert "the status 500" in (listed.last_error or "")


def test_a_one_time_purchase_is_reported_with_what_was_really_paid(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    """Three for $29.00 each, with a discount."""
    columns: Any = {"amount": 8700, "quantity": 3, "amount_received": 7830}
    payment_id = a_purchase(app, willing, pack_or_plan="standard_pack", **columns)
    do_work(app)
    (report,) = google.reports
    params = report.event["params"]
    assert (params["transaction_id"], params["value"]) == (payment_id, Decimal("78.3"))
    assert params["items"] == [
        {"item_id": "standard_pack", "item_name": "Standard Pack", "price": 29, "quantity": 3}
    ]


def test_a_plan_that_has_left_the_catalogue_is_reported_by_its_code(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    a_purchase(app, willing, pack_or_plan="old_plan", amount_received=2900)
    do_work(app)
    assert google.reports[0].event["params"]["items"][0]["item_name"] == "old_plan"


def test_what_cost_nothing_is_not_reported(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    payment_id = a_purchase(app, willing, pack_or_plan="standard_pack", amount_received=0)
    invoice_id = invoiced(app, willing, amount=0)
    do_work(app)
    assert google.reports == []
    assert not {f"ga4_purchase:{payment_id}", f"ga4_purchase:{invoice_id}"} & set(states(app))


def test_an_amount_without_minor_units(app: Flask, google: Analytics, willing: Customer) -> None:
    a_purchase(app, willing, amount=500, currency="jpy", amount_received=500)
    do_work(app)
    params = google.reports[0].event["params"]
    assert (params["value"], params["currency"]) == (500, "JPY")


def test_a_paid_invoice_is_reported_once(app: Flask, google: Analytics, willing: Customer) -> None:
    a_subscription(app, willing, stripe_subscription_id="sub_ours")
    paid_at = utcnow().replace(microsecond=0)
    invoice_id = invoiced(app, willing, stripe_subscription_id="sub_ours", paid_at=paid_at)
    do_work(app)
    (report,) = google.reports
    assert report.event["params"] == {
        "transaction_id": invoice_id,
        "value": 49,
        "currency": "USD",
        "items": [
            {
                "item_id": "premium_plan",
                "item_name": "Premium, monthly",
                "price": 49,
                "quantity": 1,
            }
        ],
    }
    assert report.body["timestamp_micros"] == int(paid_at.timestamp()) * 1_000_000


def test_what_is_too_old_for_google_is_reported_as_of_now(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    invoiced(app, willing, paid_at=utcnow() - timedelta(days=4))
    do_work(app)
    assert "timestamp_micros" not in google.reports[0].body


@pytest.mark.parametrize("of", ["payment", "invoice"])
def test_a_refund_names_the_sale_that_it_gives_back(
    app: Flask, google: Analytics, willing: Customer, of: str
) -> None:
    sale = pays(app, willing).id if of == "payment" else invoiced(app, willing)
    do_work(app)
    google.reports.clear()
    now = datetime.now(UTC)
    promised(
        app,
        "ga4_refund",
        "ga4_refund:re_1",
        **{f"{of}_id": sale, "amount": 333, "refunded_at": now.isoformat()},
    )
    do_work(app)
    (report,) = google.reports
    assert report.event == {
        "name": "refund",
        "params": {"transaction_id": sale, "value": Decimal("3.33"), "currency": "USD"},
    }
    assert report.body["timestamp_micros"] // 1_000_000 == int(now.timestamp())


def test_reports_and_receipts_do_not_wait_for_each_other(
    app: Flask, google: Analytics, willing: Customer
) -> None:
    google.statuses = [500]
    purchase = pays(app, willing)
    do_work(app)
    assert states(app)[f"mail_receipt:{purchase.id}"] == "done"
    assert states(app)[f"payment_settled:{purchase.id}"] == "done"
