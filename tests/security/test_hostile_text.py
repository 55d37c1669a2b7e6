"""Text that wants to be a statement: in every filter, every path and every form."""

from urllib.parse import quote

import pytest
from flask import Flask

from tests.admin.operator import Operator
from tests.security.routes import fields, its_ids, paths
from tests.support import books
from tests.web.visitor import PASSWORD, Visitor

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""The stricter of the two about what it is handed: NUL, types, the rest of a broken transaction."""

SQL = (
    "' OR '1'='1",
    "1; DROP TABLE users--",
    "\\' UNION SELECT password_hash FROM users--",
    "%",
    "_",
)
UNSTORABLE = ("\0", "a\0b", "9" * 30, "x" * 5_000, "\u202e")


@on_postgresql
def test_no_text_in_an_address_breaks_out(app: Flask, operator: Operator) -> None:
    """As every filter, search, place and choice of every page: answered, never by a 500, and what
    matches nothing shows nobody."""
    ids, before = its_ids(app), books.read(app)
    tried = 0
    for endpoint, path in paths(app, "GET", **ids):
        for field in fields(app, endpoint):
            for text in ("a\0'", "' OR '1'='1"):
                answer = operator.get(path, query_string={field: text}, buffered=True)
                assert answer.status_code < 500, (endpoint, field, text)
                tried += 1
    assert tried > 150
    address = before.users[ids["user_id"]]["email"]
    for text in (*SQL, *UNSTORABLE):
        found = operator.get("/admin/customers", query_string={"q": text})
        assert found.status_code in (200, 400)
        assert address not in found.text, text
        assert "$argon2" not in found.text
    assert books.read(app) == before


@on_postgresql
def test_no_text_in_a_path_breaks_out(app: Flask, operator: Operator, mallory: Visitor) -> None:
    ids = ("user_id", "payment_id", "subject", "event_id", "checkout_id")
    for visitor in (operator, mallory):
        token = visitor.token("/account")
        for text in (*SQL, *UNSTORABLE, "\ufffd"):
            for method in ("GET", "POST"):
                for endpoint, path in paths(app, method, **dict.fromkeys(ids, text)):
                    if quote(text) not in path:
                        continue  # no id in this one
                    form = {"csrf_token": token} if method == "POST" else {}
                    answer = visitor.client.open(path, method=method, data=form)
                    assert answer.status_code in (400, 404), (endpoint, text)


@on_postgresql
def test_no_text_in_a_form_breaks_out(app: Flask, operator: Operator) -> None:
    """Every field of every form, one at a time, the others being right."""
    ids, token = its_ids(app), operator.token("/account")
    right = {
        "csrf_token": token, "direction": "add", "credits": "5", "reason": "duplicate",
        "amount": "1", "refunded_before": "0", "email": "a@example.com", "password": PASSWORD,
        "current": "wrong", "new": PASSWORD, "note": "", "plan": "premium_plan",
    }  # fmt: skip
    before = books.read(app).transfers
    for number, field in enumerate(sorted(set(right) | {"key", "form_id", "order_id"})):
        made = {"form_id": f"adj_{number:032x}", "order_id": f"rfo_{number:032x}"}
        for endpoint, path in paths(app, "POST", **ids):
            if endpoint in ("webhooks.receive", "auth.confirm", "auth.password"):
                continue
            answer = operator.client.post(path, data=right | made | {field: "a\0'"})
            assert answer.status_code < 500 or answer.status_code == 503, (endpoint, field)
    made_since = set(books.read(app).transfers) - set(before)
    notes = {books.read(app).transfers[id]["note"] for id in made_since}
    assert notes <= {"duplicate"}, "nothing of it was written down"
