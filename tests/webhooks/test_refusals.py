"""What the webhook does not accept: each is answered with the status of docs/webhooks.md, and a
refused request writes no row."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.stripe_gateway import SIGNATURE_TOLERANCE_SECONDS
from tests.support import books
from tests.support.apps import WEBHOOK_SECRET, an_app, closing, some_settings
from tests.support.builders import a_payment, body_of, deliver, paid, signed

PATH = "/stripe/webhook"


@pytest.fixture
def event(app: Flask) -> Iterator[dict[str, Any]]:
    """A success that would be credited if only the request were right; at the end nothing was
    written, and the true request is still accepted."""
    purchase = a_payment(app)
    before = books.read(app)
    event = paid(purchase)
    yield event
    assert books.read(app) == before, "a refused request wrote something"
    assert deliver(app.test_client(), event).status_code == 200
    assert books.balance(app, purchase.customer.id) == 1000


def assert_problem(response: TestResponse, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json is not None and response.json["status"] == status
    assert WEBHOOK_SECRET not in response.text


def tampered(header: str) -> str:
    last = header[-1]
    return header[:-1] + ("0" if last != "0" else "1")


def only_v0(header: str) -> str:
    return header.replace("v1=", "v0=")


def many_wrong(header: str) -> str:
    time_part = header.split(",")[0]
    return ",".join([time_part, *(f"v1={n:064x}" for n in range(200))])


SIGNATURES: dict[str, Callable[[str], str]] = {
    "empty": lambda header: "",
    "garbage": lambda header: "garbage",
    "json": lambda header: '{"t": 1, "v1": "x"}',
    "commas": lambda header: ",,,,",
    "no time": lambda header: header.split(",")[1],
    "time without number": lambda header: "t=," + header.split(",")[1],
    "time in words": lambda header: "t=now," + header.split(",")[1],
    "time with more behind it": lambda header: header.replace(",", "=1,", 1),
    "time in digits of another script": lambda header: header.replace("1", "١"),
    "negative time": lambda header: header.replace("t=", "t=-"),
    "endless time": lambda header: "t=" + "9" * 5_000 + "," + header.split(",")[1],
    "no signature": lambda header: header.split(",")[0],
    "empty signature": lambda header: header.split(",")[0] + ",v1=",
    "not hexadecimal": lambda header: header.split(",")[0] + ",v1=zz",
    "not ASCII": lambda header: header.split(",")[0] + ",v1=\xe9\xe9",
    "in capitals": lambda header: header.split(",")[0] + "," + header.split(",")[1].upper(),
    "one digit changed": tampered,
    "only v0": only_v0,
    "many wrong": many_wrong,
}


@pytest.mark.parametrize("change", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_that_does_not_fit_is_refused(
    client: FlaskClient, event: dict[str, Any], change: Callable[[str], str]
) -> None:
    header = change(signed(body_of(event))).encode().decode("latin-1")
    assert_problem(deliver(client, event, signature=header), 400)


def test_a_request_without_a_signature_is_refused(
    client: FlaskClient, event: dict[str, Any]
) -> None:
    response = client.post(PATH, data=body_of(event), content_type="application/json")
    assert_problem(response, 400)


def test_another_endpoints_secret_is_refused(client: FlaskClient, event: dict[str, Any]) -> None:
    header = signed(body_of(event), "whsec_of_another_endpoint")
    assert_problem(deliver(client, event, signature=header), 400)


def test_a_body_changed_by_one_byte_is_refused(client: FlaskClient, event: dict[str, Any]) -> None:
    header, body = signed(body_of(event)), body_of(event)
    changed = body.replace(b'"amount": 1000', b'"amount": 9000')
    assert changed != body
    assert_problem(deliver(client, changed, signature=header), 400)
    assert_problem(deliver(client, body + b"\n", signature=header), 400)


def test_the_same_json_written_differently_is_refused(
    client: FlaskClient, event: dict[str, Any]
) -> None:
    header = signed(body_of(event))
    compact = json.dumps(event, separators=(",", ":")).encode()
    assert_problem(deliver(client, compact, signature=header), 400)


@pytest.mark.parametrize(
    "seconds",
    [-SIGNATURE_TOLERANCE_SECONDS - 30, SIGNATURE_TOLERANCE_SECONDS + 30, -(10**9), 10**11],
    ids=["old", "future", "ancient", "far future"],
)
def test_timestamps_far_from_now_are_refused(
    client: FlaskClient, event: dict[str, Any], seconds: int
) -> None:
    header = signed(body_of(event), t=int(time.time()) + seconds)
    assert_problem(deliver(client, event, signature=header), 400)


@pytest.mark.parametrize("seconds", [-240, 240], ids=["a little old", "a little ahead"])
def test_clocks_may_differ_a_little(app: Flask, client: FlaskClient, seconds: int) -> None:
    event = paid(a_payment(app))
    header = signed(body_of(event), t=int(time.time()) + seconds)
    assert deliver(client, event, signature=header).status_code == 200


def test_one_right_signature_among_wrong_ones_is_enough(app: Flask, client: FlaskClient) -> None:
    event = paid(a_payment(app))
    time_part, right = signed(body_of(event)).split(",")
    header = ",".join([time_part, "v1=" + "0" * 64, "v0=" + "1" * 64, right, "v1=x"])
    assert deliver(client, event, signature=header).status_code == 200


def test_livemode_of_the_other_mode_is_refused(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    assert_problem(deliver(client, paid(purchase, livemode=True)), 400)
    assert books.read(app).events == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_live_keys_test_events_are_refused(database_url: str, tmp_path: Path) -> None:
    settings = some_settings(
        tmp_path,
        database_url,
        STRIPE_SECRET_KEY="sk_live_1",
        STRIPE_PUBLISHABLE_KEY="pk_live_1",
        STRIPE_API_BASE="",
    )
    with closing(an_app(settings)) as app:
        purchase = a_payment(app)
        assert_problem(deliver(app.test_client(), paid(purchase)), 400)
        assert books.read(app).events == {}
        assert deliver(app.test_client(), paid(purchase, livemode=True)).status_code == 200


def test_without_a_secret_nothing_is_accepted(database_url: str, tmp_path: Path) -> None:
    settings = some_settings(tmp_path, database_url, STRIPE_WEBHOOK_SECRET="")
    with closing(an_app(settings)) as app:
        event = paid(a_payment(app))
        for signature in (signed(body_of(event)), signed(body_of(event), ""), "", "t=1,v1="):
            response = deliver(app.test_client(), event, signature=signature)
            assert_problem(response, 503)
        assert books.read(app).events == {}
        assert books.read(app).transfers == {}


def test_while_a_secret_is_rolled_both_are_accepted_and_afterwards_the_new_one(
    database_url: str, tmp_path: Path
) -> None:
    old, new = "whsec_old", "whsec_new"
    rolling = some_settings(tmp_path, database_url, STRIPE_WEBHOOK_SECRET=f"{new}, {old}")
    with closing(an_app(rolling)) as app:
        for secret in (old, new):
            event = paid(a_payment(app))
            header = signed(body_of(event), secret)
            assert deliver(app.test_client(), event, signature=header).status_code == 200
        event = paid(a_payment(app))
        both = signed(body_of(event), old) + "," + signed(body_of(event), new).split(",")[1]
        assert deliver(app.test_client(), event, signature=both).status_code == 200
    with closing(an_app(some_settings(tmp_path, database_url, STRIPE_WEBHOOK_SECRET=new))) as app:
        event = paid(a_payment(app))
        for secret, status in ((old, 400), (new, 200)):
            header = signed(body_of(event), secret)
            response = deliver(app.test_client(), event, signature=header)
            assert response.status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_only_post_is_answered(client: FlaskClient, event: dict[str, Any], method: str) -> None:
    headers = {"Stripe-Signature": signed(body_of(event))}
    response = client.open(PATH, method=method, data=body_of(event), headers=headers)
    assert response.status_code == 405


def test_the_content_type_does_not_matter_the_signature_does(
    app: Flask, client: FlaskClient
) -> None:
    event = paid(a_payment(app))
    headers = {"Stripe-Signature": signed(body_of(event))}
    response = client.post(PATH, data=body_of(event), content_type="text/plain", headers=headers)
    assert response.status_code == 200


def test_a_session_cookie_is_neither_asked_for_nor_given(app: Flask, client: FlaskClient) -> None:
    client.set_cookie("session", "forged.cookie.value")
    response = deliver(client, paid(a_payment(app)), Origin="https://evil.example")
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_a_path_of_ones_own_replaces_the_usual_one(database_url: str, tmp_path: Path) -> None:
    settings = some_settings(tmp_path, database_url, STRIPE_WEBHOOK_PATH="/hooks/of/stripe")
    with closing(an_app(settings)) as app:
        event = paid(a_payment(app))
        header = {"Stripe-Signature": signed(body_of(event))}
        assert app.test_client().post(PATH, data=body_of(event), headers=header).status_code == 404
        assert books.read(app).events == {}
        assert deliver(app.test_client(), event).status_code == 200
