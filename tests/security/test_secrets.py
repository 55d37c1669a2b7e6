"""What must be seen by nobody: looked for in every page, every header and every line of the log."""

import io
import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.observing.lines import TextLines
from tests.admin.operator import Operator
from tests.security.routes import fields, paths
from tests.support import books
from tests.support.apps import WEBHOOK_SECRET
from tests.support.builders import a_payment, an_event, an_intent, deliver
from tests.web.visitor import PASSWORD, Visitor

CLIENT_SECRET = "pi_3Qabc_secret_TheOneOfThisTest"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that the process logs, at its most talkative."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(TextLines())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def secrets_of(app: Flask, *visitors: Visitor) -> set[str]:
    settings = app.extensions["storefront_config"]
    hashes = {row["password_hash"] for row in books.read(app).users.values()}
    cookies = {visitor.cookie for visitor in visitors}
    return {
        settings.secret_key, settings.stripe_secret_key, WEBHOOK_SECRET, CLIENT_SECRET, PASSWORD,
        "another one altogether", *hashes, *cookies,
    }  # fmt: skip


def test_no_secret_is_shown_or_written(
    app: Flask, operator: Operator, mallory: Visitor, written: io.StringIO
) -> None:
    """Also where pages go wrong, and where secrets are sent to us in the wrong place."""
    purchase = a_payment(app)
    intent = an_intent(purchase, client_secret=CLIENT_SECRET)
    event = an_event(intent)
    deliver(app.test_client(), event)
    deliver(app.test_client(), an_event(intent), signature="t=1,v1=wrong")
    mallory.submit("/account/password", current=PASSWORD, new="another one altogether")
    secrets = secrets_of(app, operator, mallory)
    ids = {
        "user_id": purchase.customer.id, "payment_id": purchase.id, "subject": purchase.id,
        "event_id": event["id"],
    }  # fmt: skip
    answers = []
    for endpoint, path in paths(app, "GET", **ids):
        for who in (operator, mallory):
            answers.append(who.get(path, buffered=True))
        query = dict.fromkeys(fields(app, endpoint), CLIENT_SECRET)
        mallory.get(path, query_string=query, buffered=True)
    for wrong_place in (CLIENT_SECRET, mallory.email):
        mallory.get(f"/payments/{wrong_place}")
    for answer in answers:
        shown = str(answer.headers) + answer.text
        assert [it for it in secrets if it in shown] == [], answer.request.path
    assert any("pi_3Qabc_secret_[secret]" in answer.text for answer in answers)
    log = written.getvalue()
    assert len(log.splitlines()) > 60
    assert [it for it in secrets if it in log] == []
    assert mallory.email not in log


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a table is missing, then
def test_when_all_goes_wrong_nothing_is_let_out_or_let_in(
    app: Flask, client: FlaskClient, mallory: Visitor, written: io.StringIO
) -> None:
    """A database without its counts of attempts: nobody signs in, registers or opens a payment
    uncounted, and the error tells nothing of itself."""
    mallory.signs_out()
    token = mallory.token("/login")
    books.execute(app, "DROP TABLE attempts")
    form = {"csrf_token": token, "email": mallory.email, "password": PASSWORD}
    for path in ("/login", "/register"):
        answer = mallory.client.post(path, data=form)
        assert answer.status_code == 500, path
        for word in ("attempts", "sqlite", "Traceback", "SELECT", mallory.email):
            assert word not in answer.text
    assert not mallory.is_signed_in
    log = written.getvalue()
    assert "no such table" in log, "operators see what it was"
    assert PASSWORD not in log
    assert mallory.email not in log
    assert client.get("/").status_code == 200, "who only reads, reads on"


def test_no_door_for_developers_is_open(client: FlaskClient) -> None:
    for path in (
        "/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/.env", "/.env.local",
        "/instance/secret_key", "/wsgi.py", "/requirements.txt", "/static/%2e%2e/.env",
        "/static/..%2f..%2fwsgi.py", "/server-status", "/_control/clock",
        "/v1/customers", "/backup.sql", "/catalog.toml",
    ):  # fmt: skip
        answer = client.get(path)
        front_page = path.startswith("/?")
        assert answer.status_code == (200 if front_page else 404), path
        assert "DONT_LOAD" not in answer.text
        assert "EVALEX" not in answer.text
