"""The short way and the long way through one event want the same rows: the event's and the
payment's. If each takes them the other way round, PostgreSQL ends one of the two."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from flask import Flask

from storefront.handlers import handle
from storefront.inbox import Outcome
from tests.support import books
from tests.support.builders import Json, a_payment, event_of, paid
from tests.support.served import eventually

GATE = 4_711
LOOKED_SECONDS = 1.5
"""PostgreSQL's deadlock_timeout is a second."""

HOLD_THE_LONG_WAY = (
    "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" IF NEW.state = 'failed' THEN PERFORM pg_advisory_xact_lock({GATE}); END IF;"
    " RETURN NULL; END $$",
    "CREATE TRIGGER gate AFTER INSERT ON stripe_events"
    " FOR EACH ROW EXECUTE FUNCTION wait_at_gate()",
)


@contextmanager
def closed_gate(app: Flask) -> Iterator[psycopg.Connection]:
    """While it is closed, whoever has claimed an event for the long way waits there."""
    books.execute(app, *HOLD_THE_LONG_WAY)
    with psycopg.connect(app.config["SQLALCHEMY_DATABASE_URI"], autocommit=True) as connection:
        connection.execute(f"SELECT pg_advisory_lock({GATE})".encode())
        yield connection


def waiting(connection: psycopg.Connection) -> int:
    """How many connections wait for a lock."""
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("ended", ["the short way", "the long way"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_repeat_that_finds_its_row_linked_meanwhile_does_not_deadlock(
    app: Flask, ended: str
) -> None:
    """A success comes before our row knows its intent and takes the long way; the row learns it;
    Stripe repeats the event, which now fits the short way. Both are answered with 200, whichever of
    the two PostgreSQL ends: who has waited for a second looks once whether it is a deadlock."""
    purchase = a_payment(app, linked=False)
    event = paid(purchase)

    def delivers(event: Json = event) -> Outcome:
        with app.app_context():
            return handle(event_of(app, event))

    with ThreadPoolExecutor(2) as pool, closed_gate(app) as gate:
        first: Future[Outcome] = pool.submit(delivers)
        eventually(lambda: waiting(gate) == 1, "the first is at the gate, with the event's row")
        books.execute(
            app,
            "UPDATE payments SET stripe_intent_id = :intent WHERE id = :id",
            intent=purchase.intent_id,
            id=purchase.id,
        )
        second: Future[Outcome] = pool.submit(delivers)
        eventually(lambda: waiting(gate) == 2, "the second waits for what the first holds")
        if ended == "the long way":
            time.sleep(LOOKED_SECONDS)
        gate.execute(f"SELECT pg_advisory_unlock({GATE})".encode())
        errors = [future.exception(timeout=30) for future in (first, second)]
    assert errors == [None, None]
    assert {future.result().state for future in (first, second)} == {"handled"}
    assert books.balance(app, purchase.customer.id) == 1000
    books.assert_clean(app)


END_THE_FIRST = (
    "CREATE SEQUENCE ended",
    "CREATE FUNCTION end_the_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF nextval('ended') <= {times} THEN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';"
    " END IF; RETURN NEW; END $$",
    "CREATE TRIGGER ends BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION end_the_first()",
)


@pytest.mark.parametrize(("times", "state"), [(1, "handled"), (2, "failed")])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_long_way_is_gone_once_more_and_then_left_to_stripe(
    app: Flask, times: int, state: str
) -> None:
    books.execute(app, *(it.format(times=times) for it in END_THE_FIRST))
    purchase = a_payment(app, linked=False)
    with app.app_context():
        assert handle(event_of(app, paid(purchase))).state == state
    assert books.balance(app, purchase.customer.id) == (1000 if state == "handled" else 0)
