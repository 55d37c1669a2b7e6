"""Failed events are tried again by the worker: later each time, not for ever, and none holds up
another."""

import logging
import random
from datetime import datetime
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from storefront import handlers, redelivery
from storefront.inbox import MAXIMUM_ATTEMPTS, State
from storefront.inbox.retrying import LONGEST_DELAY_SECONDS, delay_seconds
from storefront.stripe_gateway import Event
from tests.support import books
from tests.support.builders import a_payment, deliver, event_of, moved, paid
from tests.support.races import at_once, raised
from tests.support.retried import Killed, deadly, is_due, retries_due
from tests.webhooks.test_failures import sabotaged


def test_the_worker_tries_a_failed_event_again_when_it_is_due(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    with sabotaged(app, "payments", "UPDATE"):
        assert deliver(client, event).status_code == 500
    row = books.read(app).events[event["id"]]
    assert row["next_try_at"] is not None
    assert retries_due(app) == 0, "not before its time"
    is_due(app, event["id"])
    assert retries_due(app) == 1
    row = books.read(app).events[event["id"]]
    assert (row["state"], row["attempts"], row["last_error"]) == ("handled", 2, None)
    assert row["next_try_at"] is None
    assert books.balance(app, purchase.customer.id) == 1000
    assert retries_due(app) == 0
    books.assert_clean(app)


def test_each_try_is_later_and_the_last_parks_the_event(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    times: list[datetime] = []
    with sabotaged(app, "payments", "UPDATE"):
        deliver(client, event)
        for attempt in range(1, MAXIMUM_ATTEMPTS):
            row = books.read(app).events[event["id"]]
            assert (row["state"], row["attempts"]) == ("failed", attempt)
            times.append(row["next_try_at"])
            is_due(app, event["id"])
            assert retries_due(app) == 1
    row = books.read(app).events[event["id"]]
    assert (row["state"], row["attempts"]) == ("parked", MAXIMUM_ATTEMPTS)
    assert "sabotaged table" in row["last_error"]
    assert row["next_try_at"] is None
    growing = [str(moment) for moment in times[:8]]  # then only the jitter differs
    assert growing == sorted(growing)
    assert retries_due(app) == 0


def test_delays_triple_with_jitter_and_last_through_a_day() -> None:
    random.seed(1)
    delays = [delay_seconds(attempt) for attempt in range(1, MAXIMUM_ATTEMPTS)]
    for number, delay in enumerate(delays):
        plain = min(30 * 3**number, LONGEST_DELAY_SECONDS)
        assert plain <= delay <= plain * 5 // 4
    assert sum(delays) > 24 * 3600
    assert len({delay_seconds(5) for _ in range(20)}) > 1


def test_what_cannot_be_helped_by_repeating_is_never_tried_again(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app, amount=1000)
    event = paid(purchase)
    event["data"]["object"]["amount_received"] = 999
    assert deliver(client, event).status_code == 200
    row = books.read(app).events[event["id"]]
    assert (row["state"], row["attempts"], row["next_try_at"]) == ("parked", 1, None)
    is_due(app, event["id"])
    assert retries_due(app) == 0


def test_a_poison_event_holds_up_no_other(app: Flask, client: FlaskClient) -> None:
    poisoned, healthy = a_payment(app, linked=False), a_payment(app)
    first, second = paid(poisoned), paid(healthy)
    with sabotaged(app, "payments", "UPDATE"):
        deliver(client, first)
        deliver(client, second)
    with sabotaged(app, "payments", "UPDATE OF stripe_intent_id"):
        for event in (first, second):
            is_due(app, event["id"])
        assert retries_due(app) == 2
    assert books.read(app).event_states() == {first["id"]: "failed", second["id"]: "handled"}
    assert books.balance(app, healthy.customer.id) == 1000


@pytest.fixture
def deadly_type(monkeypatch: pytest.MonkeyPatch) -> str:
    """A type whose events take their process with them."""
    monkeypatch.setitem(handlers.HANDLERS, "payment_intent.processing", deadly)
    return "payment_intent.processing"


def test_an_event_that_kills_its_process_is_tried_so_many_times_and_holds_up_no_other(
    app: Flask, deadly_type: str
) -> None:
    killer, healthy = moved(a_payment(app), "processing"), a_payment(app)
    assert killer["type"] == deadly_type
    with app.app_context(), pytest.raises(Killed):
        redelivery.feed(event_of(app, killer))
    for attempt in range(1, MAXIMUM_ATTEMPTS):
        row = books.read(app).events[killer["id"]]
        assert (row["state"], row["attempts"]) == ("failed", attempt), "the try was counted before"
        assert retries_due(app) == 0, "others have their turn meanwhile"
        is_due(app, killer["id"])
        with pytest.raises(Killed):
            retries_due(app)
    is_due(app, killer["id"])
    assert retries_due(app) == 0
    row = books.read(app).events[killer["id"]]
    assert (row["state"], row["attempts"]) == ("parked", MAXIMUM_ATTEMPTS)
    assert "killed" in row["last_error"]
    with app.app_context():
        assert redelivery.feed(event_of(app, paid(healthy))) is not None
    assert books.balance(app, healthy.customer.id) == 1000


def test_two_workers_and_a_delivery_at_once_have_one_effect(app: Flask) -> None:
    for _ in range(4 if books.is_sqlite(app) else 15):
        purchase = a_payment(app)
        event = paid(purchase)
        with sabotaged(app, "payments", "UPDATE"):
            deliver(app.test_client(), event)
        is_due(app, event["id"])

        retry = partial(redelivery.retry, event["id"], now=True)
        receive = partial(handlers.handle, event_of(app, event))
        outcomes = at_once(app, [retry, receive, redelivery.retry_due, retry])
        assert raised(outcomes) == []
        assert books.read(app).events[event["id"]]["state"] == "handled"
        assert books.balance(app, purchase.customer.id) == 1000
    books.assert_clean(app)


def test_a_stored_payload_that_was_damaged_is_parked_and_holds_up_no_other(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    with sabotaged(app, "payments", "UPDATE"):
        deliver(client, event)
    books.execute(app, "UPDATE stripe_events SET payload = '{'")
    is_due(app, event["id"])
    assert retries_due(app) == 0
    row = books.read(app).events[event["id"]]
    assert row["state"] == "parked"
    assert "cannot be read" in row["last_error"]


def test_a_failed_event_of_an_older_version_is_due_at_once(app: Flask, client: FlaskClient) -> None:
    event = moved(a_payment(app), "processing")
    with sabotaged(app, "payments", "UPDATE"):
        deliver(client, event)
    books.execute(app, "UPDATE stripe_events SET next_try_at = NULL")
    assert retries_due(app) == 1
    assert books.read(app).event_states() == {event["id"]: "handled"}


def test_an_error_that_cannot_be_stored_as_it_is_is_stored_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "storefront.inbox")  # no report can hold what it says

    def strange(_session: Session, _event: Event) -> State:
        raise RuntimeError("half a character \ud800 and none \0" + "x" * 5_000)

    monkeypatch.setitem(handlers.HANDLERS, "payment_intent.processing", strange)
    event = moved(a_payment(app), "processing")
    assert deliver(app.test_client(), event).status_code == 500
    row = books.read(app).events[event["id"]]
    assert row["last_error"].startswith("RuntimeError: half a character ? and none xxx")
    assert len(row["last_error"]) <= 2_000
