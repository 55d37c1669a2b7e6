"""Bodies that Stripe signed, or that somebody with the secret made, and that cannot be used.

Unreadable as an event: 400, and no row. An event around an unreadable object: parked. Never a 500,
never a credit, and the next true event is welcome.
"""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.db import MAX_WHOLE
from tests.support import books
from tests.support.builders import a_payment, an_event, an_intent, body_of, deliver, paid

MISSING = object()
SURROGATE = "\ud800"


def with_value(holder: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    rest = {name: there for name, there in holder.items() if name != key}
    return rest if value is MISSING else rest | {key: value}


def assert_refused(app: Flask, client: FlaskClient, body: bytes, status: int = 400) -> None:
    response = deliver(client, body)
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert books.read(app).events == {}
    assert books.read(app).transfers == {}


BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n",
    "not JSON": b"payment_intent.succeeded",
    "cut off": b'{"object": "event", "id": "evt_',
    "null": b"null",
    "a number": b"1",
    "a text": b'"event"',
    "a list": b"[]",
    "a list of events": b'[{"object": "event"}]',
    "an empty object": b"{}",
    "not UTF-8": b'{"object": "event", "id": "\xff\xfe"}',
    "UTF-16": '{"object": "event"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "a raw NUL": b'{"object": "event", "id": "evt_\x00"}',
    "NaN": b'{"object": "event", "id": "evt_1", "created": NaN}',
    "Infinity": b'{"object": "event", "id": "evt_1", "created": -Infinity}',
    "a number of 10,000 digits": b'{"object": "event", "created": ' + b"9" * 10_000 + b"}",
    "10^5 lists deep": b"[" * 10**5 + b"]" * 10**5,
    "50,000 objects deep, cut off": b'{"a":' * 50_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_event_is_refused(app: Flask, client: FlaskClient, body: bytes) -> None:
    assert_refused(app, client, body)


def test_a_deep_object_in_an_event_is_refused(app: Flask, client: FlaskClient) -> None:
    event = body_of(paid(a_payment(app)))
    deep = b"[" * 10**5 + b"]" * 10**5
    assert_refused(app, client, event.replace(b'"metadata": {', b'"deep": ' + deep + b', "m": {'))


def test_a_megabyte_is_too_much(app: Flask, client: FlaskClient) -> None:
    event = paid(a_payment(app)) | {"padding": "x" * 2**20}
    assert_refused(app, client, body_of(event), status=413)


def test_half_a_megabyte_is_not(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    event = paid(purchase) | {"padding": "x" * 500_000}
    assert deliver(client, event).status_code == 200
    assert books.balance(app, purchase.customer.id) == 1000


def test_a_thin_event_is_refused_and_says_why(app: Flask, client: FlaskClient) -> None:
    thin = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": "v1.payment_intent.succeeded",
        "created": "2026-11-20T12:00:00.000Z",
        "livemode": False,
        "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/…"},
    }
    response = deliver(client, thin)
    assert response.status_code == 400
    assert "snapshot" in response.text
    assert books.read(app).events == {}


ENVELOPES: dict[str, list[Any]] = {
    "id": [MISSING, None, 7, "", [], "evt_\0", f"evt_{SURROGATE}", "x" * 6_000],
    "object": [MISSING, None, "evnt", 1],
    "type": [MISSING, None, 7, "", {}, "a\0b", SURROGATE],
    "livemode": [MISSING, None, "false", 0, "true"],
    "created": [MISSING, None, "1770000000", 1.5, -1, True, MAX_WHOLE, 10**30, []],
    "data": [MISSING, None, [], "object", {}, {"objekt": {}}],
}


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in ENVELOPES.items() for value in values],
    ids=lambda it: "missing" if it is MISSING else ascii(it)[:24],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # refused before any row
def test_an_event_without_a_usable_field_is_refused(
    app: Flask, client: FlaskClient, key: str, value: Any
) -> None:
    event = with_value(paid(a_payment(app)), key, value)
    assert_refused(app, client, json.dumps(event).encode())


INTENTS: dict[str, list[Any]] = {
    "id": [MISSING, None, 7, "", ["pi"], "pi_\0", f"pi_{SURROGATE}", "x" * 6_000],
    "object": [MISSING, "charge", None],
    "status": [MISSING, None, 1, ""],
    "amount": [MISSING, None, "1000", 1000.0, -1000, True, 10**30, MAX_WHOLE + 1],
    "amount_received": [None, "1000", 1000.0, -1, True, 10**30],
    "currency": [MISSING, None, 1, "", "\0", SURROGATE],
    "customer": [MISSING, None, 7, {}, {"id": 7}, "", "cus_\0", SURROGATE],
}


@pytest.mark.parametrize("key", INTENTS)
def test_an_event_around_an_unusable_intent_is_parked(
    app: Flask, client: FlaskClient, key: str
) -> None:
    """All values of a field in one test: each needs but an event of its own."""
    purchase = a_payment(app)
    for value in INTENTS[key]:
        event = an_event(with_value(an_intent(purchase), key, value))
        response = deliver(client, json.dumps(event).encode())
        assert response.status_code == 200, (value, response.text)
        row = books.read(app).events[event["id"]]
        assert row["state"] == "parked", (value, row["last_error"])
    assert books.read(app).transfers == {}
    deliver(client, paid(purchase))
    assert books.balance(app, purchase.customer.id) == 1000


@pytest.mark.parametrize("object", [None, [], "pi_1", 7, {}], ids=str)
def test_an_event_around_no_object_is_parked(app: Flask, client: FlaskClient, object: Any) -> None:
    event = an_event({}) | {"data": {"object": object}}
    assert deliver(client, event).status_code == 200
    assert books.read(app).event_states() == {event["id"]: "parked"}


ODDITIES: dict[str, dict[str, Any]] = {
    "metadata is a list": {"metadata": []},
    "metadata is a text": {"metadata": "payment_id"},
    "payment id is a number": {"metadata": {"payment_id": 7}},
    "payment id with NUL": {"metadata": {"payment_id": "pay_\0"}},
    "payment id with surrogate": {"metadata": {"payment_id": SURROGATE}},
    "error is a text": {"last_payment_error": "declined"},
    "error of odd types": {"last_payment_error": {"code": 7, "message": ["x"]}},
    "message with NUL": {"last_payment_error": {"code": "x", "message": "a\0b"}},
    "message with surrogate": {"last_payment_error": {"code": "x", "message": SURROGATE}},
    "endless message": {"last_payment_error": {"code": "x", "message": "y" * 100_000}},
    "an unknown field": {"brand_new_field": {"a": [1, 2, {"b": None}]}},
}


@pytest.mark.parametrize("changes", ODDITIES.values(), ids=ODDITIES)
def test_what_does_not_matter_for_the_money_does_not_stop_it(
    app: Flask, client: FlaskClient, changes: dict[str, Any]
) -> None:
    purchase = a_payment(app)
    intent = an_intent(purchase) | changes
    failed = an_event(intent | {"status": "requires_payment_method", "amount_received": 0})
    failed["type"] = "payment_intent.payment_failed"
    for event in (failed, an_event(intent)):
        assert deliver(client, json.dumps(event).encode()).status_code == 200
        assert books.read(app).events[event["id"]]["state"] == "handled"
    assert books.balance(app, purchase.customer.id) == 1000


def test_of_repeated_keys_the_same_one_counts_everywhere(app: Flask, client: FlaskClient) -> None:
    """JSON with a key twice: whichever is read, what is checked is what is credited."""
    purchase = a_payment(app)
    body = body_of(paid(purchase)).replace(
        b'"amount_received": 1000', b'"amount_received": 1000, "amount_received": 1'
    )
    assert deliver(client, body).status_code == 200
    assert list(books.read(app).event_states().values()) == ["parked"]
    assert books.read(app).transfers == {}
