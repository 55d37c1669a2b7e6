"""Rule 3: nothing is acknowledged before it is committed, and nothing that failed is lost.

The failures are real: the database refuses to write, because a trigger was planted in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.db import db
from storefront.inbox import MAXIMUM_ATTEMPTS
from tests.support import books
from tests.support.apps import dispose
from tests.support.builders import a_payment, declined, deliver, moved, paid

PLANT = {
    "sqlite": [
        "CREATE TRIGGER sabotage BEFORE {what} ON {table}"
        " BEGIN SELECT RAISE(ABORT, 'sabotaged table'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'sabotaged table'; END $$",
        "CREATE TRIGGER sabotage BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION sabotage()",
    ],
}
REMOVE = {
    "sqlite": ["DROP TRIGGER sabotage"],
    "postgresql": ["DROP TRIGGER sabotage ON {table}", "DROP FUNCTION sabotage()"],
}


@contextmanager
def sabotaged(app: Flask, table: str, what: str = "INSERT") -> Iterator[None]:
    """While it lasts, the database raises when it is asked to write to `table`."""
    kind = "sqlite" if books.is_sqlite(app) else "postgresql"
    books.execute(app, *(it.format(table=table, what=what) for it in PLANT[kind]))
    yield
    books.execute(app, *(it.format(table=table) for it in REMOVE[kind]))


@pytest.mark.parametrize("linked", [True, False], ids=["short way", "long way"])
@pytest.mark.parametrize(
    ("table", "what"), [("ledger_transfers", "INSERT"), ("payments", "UPDATE")]
)
def test_a_failing_effect_is_a_500_and_recorded_and_the_redelivery_succeeds(
    app: Flask, client: FlaskClient, table: str, what: str, linked: bool
) -> None:
    purchase = a_payment(app, linked=linked)
    event = paid(purchase)
    with sabotaged(app, table, what):
        response = deliver(client, event)
        assert (response.status_code, response.json) == (
            500,
            {"received": False, "state": "failed"},
        )
        failed = books.read(app)
        row = failed.events[event["id"]]
        assert (row["state"], row["attempts"], row["handled_at"]) == ("failed", 1, None)
        assert "sabotaged table" in row["last_error"]
        assert (failed.transfers, failed.wallets) == ({}, {})
        assert failed.payments[purchase.id]["status"] != "succeeded"
    assert deliver(client, event).status_code == 200
    row = books.read(app).events[event["id"]]
    assert (row["state"], row["attempts"], row["last_error"]) == ("handled", 2, None)
    assert books.balance(app, purchase.customer.id) == 1000
    assert deliver(client, event).status_code == 200
    assert books.balance(app, purchase.customer.id) == 1000
    books.assert_clean(app)


def test_a_failing_unpaid_event_is_tried_again_too(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    event = moved(purchase, "processing")
    with sabotaged(app, "payments", "UPDATE"):
        assert deliver(client, event).status_code == 500
        assert books.read(app).event_states() == {event["id"]: "failed"}
    assert deliver(client, event).status_code == 200
    assert books.read(app).payments[purchase.id]["status"] == "processing"


def test_an_event_that_cannot_even_be_recorded_is_a_500_without_a_trace(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    with sabotaged(app, "stripe_events"):
        response = deliver(client, event)
        assert response.status_code == 500
        assert "sabotaged" not in response.text
        assert books.read(app).events == {}
        assert books.read(app).transfers == {}
    assert deliver(client, event).status_code == 200
    assert books.balance(app, purchase.customer.id) == 1000


@pytest.mark.parametrize("kind", ["paid", "declined"])
def test_after_so_many_attempts_an_event_is_parked_and_asked_for_no_more(
    app: Flask, client: FlaskClient, kind: str
) -> None:
    purchase = a_payment(app)
    event = paid(purchase) if kind == "paid" else declined(purchase)
    with sabotaged(app, "payments", "UPDATE"):
        answers = [deliver(client, event).status_code for _ in range(MAXIMUM_ATTEMPTS + 2)]
    assert answers == [500] * (MAXIMUM_ATTEMPTS - 1) + [200] * 3
    row = books.read(app).events[event["id"]]
    assert (row["state"], row["attempts"]) == ("parked", MAXIMUM_ATTEMPTS)
    assert "sabotaged table" in row["last_error"]
    assert deliver(client, event).status_code == 200
    assert books.read(app).transfers == {}
    assert deliver(client, paid(purchase)).status_code == 200, "other events are not held up"
    assert books.balance(app, purchase.customer.id) == 1000


def test_one_failing_event_does_not_hold_up_others(app: Flask, client: FlaskClient) -> None:
    poisoned, healthy = a_payment(app, linked=False), a_payment(app)
    with sabotaged(app, "payments", "UPDATE OF stripe_intent_id"):
        assert deliver(client, paid(poisoned)).status_code == 500
        assert deliver(client, paid(healthy)).status_code == 200
    assert books.balance(app, healthy.customer.id) == 1000


def test_books_that_contradict_each_other_are_recorded_not_overwritten(
    app: Flask, client: FlaskClient
) -> None:
    """The transfer exists although the payment is open: somebody set the payment back."""
    purchase = a_payment(app)
    deliver(client, paid(purchase))
    books.execute(app, "UPDATE payments SET status = 'processing' WHERE id = :id", id=purchase.id)
    assert deliver(client, paid(purchase)).status_code == 200
    after = books.read(app)
    assert after.payments[purchase.id]["status"] == "succeeded"
    assert after.balance(purchase.customer.id) == 1000
    books.assert_clean(app)


@pytest.mark.parametrize("linked", [True, False], ids=["short way", "long way"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_that_died_in_the_pool_cost_at_most_a_redelivery(
    app: Flask, client: FlaskClient, linked: bool
) -> None:
    purchase = a_payment(app, linked=linked)
    with app.app_context():
        for engine in db.engines.values():
            held = [engine.connect() for _ in range(4)]
            for connection in held:
                connection.close()
    terminate_all(app)
    event = paid(purchase)
    answers: list[int] = []
    while not answers or answers[-1] != 200:
        assert len(answers) < 6, answers
        answers.append(deliver(client, event).status_code)
    with app.app_context():
        dispose()  # the way that the event did not take has its dead connections still
    assert books.balance(app, purchase.customer.id) == 1000
    books.assert_clean(app)


def terminate_all(app: Flask) -> None:
    """End every connection of the shop's, as a database restart would."""
    with psycopg.connect(app.config["SQLALCHEMY_DATABASE_URI"], autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
