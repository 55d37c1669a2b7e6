"""`flask ledger explain`: for people, for machines, and for mistakes."""

import json
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask

from storefront import ledger
from storefront.db import transaction, utcnow
from storefront.ledger import Order
from tests.support.builders import Customer, a_payment, a_user, deliver, paid


def explain(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["ledger", "explain", *args])


@pytest.fixture
def ada(app: Flask) -> Customer:
    return a_user(app, email="ada@example.com")


def test_a_person_reads_what_is_left_of_what_and_why(app: Flask, ada: Customer) -> None:
    purchase = a_payment(app, ada, amount=1000, credits=1100)
    event = paid(purchase, created=1_794_000_000)
    deliver(app.test_client(), event)
    with app.app_context(), transaction() as session:
        ledger.spend(session, ada.id, 100, id="spend")
    result = explain(app, "Ada@Example.com")
    assert result.exit_code == 0, result.output
    head, *rest = result.output.splitlines()
    assert head.startswith(f"ada@example.com ({ada.id}): 1,000 credits at ")
    assert rest == [
        "  1,000 of 1,100, for good: Credits bought, $10.00, 2026-11-06 21:20:00 UTC",
        f"    payment:{purchase.id} {purchase.intent_id}",
        f"    {event['id']} payment_intent.succeeded of {purchase.intent_id}, handled",
    ]
    assert explain(app, ada.id).output.splitlines()[1:] == rest


def test_a_machine_reads_the_same(app: Flask, ada: Customer) -> None:
    purchase = a_payment(app, ada)
    deliver(app.test_client(), paid(purchase))
    found = json.loads(explain(app, ada.id, "--json").output)
    assert (found["email"], found["balance"], found["debts"]) == ("ada@example.com", 1000, [])
    (parcel,) = found["parcels"]
    assert parcel["cause"]["payment_id"] == purchase.id
    assert parcel["cause"]["events"][0]["type"] == "payment_intent.succeeded"


def test_a_debt_and_an_end_are_told(app: Flask, ada: Customer) -> None:
    end = utcnow() + timedelta(days=9)
    with app.app_context(), transaction() as session:
        ledger.transfer(session, Order("g", "plan_grant", ada.id, 50, expires_at=end))
    assert f"50 of 50, until {end:%Y-%m-%d %H:%M:%S} UTC" in explain(app, ada.id).output
    with app.app_context(), transaction() as session:
        ledger.transfer(session, Order("r", "refund", ada.id, 80))
    assert "30 of 80 owed: Refund," in explain(app, ada.id).output


def test_a_moment_is_utc_unless_it_says_otherwise(app: Flask, ada: Customer) -> None:
    deliver(app.test_client(), paid(a_payment(app, ada)))
    before, now = "2026-01-31T12:00", f"{utcnow():%Y-%m-%dT%H:%M:%S.%f}"
    assert ": 0 credits at 2026-01-31 12:00:00 UTC" in explain(app, ada.id, "--at", before).output
    east = explain(app, ada.id, "--at", f"{before}+01:00").output
    assert ": 0 credits at 2026-01-31 11:00:00 UTC" in east
    assert ": 1,000 credits at" in explain(app, ada.id, "--at", now).output


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("nobody@example.com",), "'nobody@example.com' is no customer"),
        (("usr_nobody",), "'usr_nobody' is no customer"),
        (("ada@example.com", "--at", "yesterday"), "'yesterday' is no time; write such as 2027-"),
        (("ada@example.com", "--at", ""), "'' is no time"),
        (("ada@example.com", "--at", "0001-01-01T00:00+14:00"), "'0001-01-01T00:00+14:00' is no"),
        (("ada@example.com", "--at", "2999-01-01"), "'2999-01-01' is still to come"),
    ],
)
def test_a_mistake_gets_one_sentence(
    app: Flask, ada: Customer, args: tuple[str, ...], sentence: str
) -> None:
    result = explain(app, *args)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {sentence}")
    assert len(result.output.splitlines()) == 1
