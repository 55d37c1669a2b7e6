"""Somebody else's objects, by their right ids: as if they were not there, and left as they were."""

import re

from flask import Flask
from werkzeug.test import TestResponse

from tests.security.routes import paths
from tests.support import books
from tests.support.billing_rows import an_invoice
from tests.support.checkouts import a_checkout
from tests.support.money_back import a_paid_top_up
from tests.web.visitor import Visitor

NONE = {
    "user_id": "usr_" + "0" * 16, "payment_id": "pay_" + "0" * 16, "subject": "pay_" + "0" * 16,
    "event_id": "evt_" + "0" * 32, "checkout_id": "chk_" + "0" * 32,
}  # fmt: skip


def bobs(app: Flask) -> dict[str, str]:
    """Ids of another customer's, for every argument that an address has."""
    bought = a_paid_top_up(app)
    visit = a_checkout(app, bought.customer, status="complete", payment_status="paid")
    an_invoice(app, bought.customer)
    return {
        "user_id": bought.customer.id, "payment_id": bought.id, "subject": bought.id,
        "event_id": next(iter(books.read(app).events)), "checkout_id": visit.id,
    }  # fmt: skip


def told(answer: TestResponse) -> tuple[int, str]:
    """Status and page, without what is new each time."""
    return answer.status_code, re.sub(r'(nonce|value|csrf-token)="[^"]*"', "", answer.text)


def test_ids_of_somebody_else_are_ids_of_nothing(app: Flask, mallory: Visitor) -> None:
    ids, before = bobs(app), books.read(app)
    token = {"csrf_token": mallory.token("/account")}
    tried = 0
    for method in ("GET", "POST"):
        missing = dict(paths(app, method, **NONE))
        for endpoint, path in paths(app, method, **ids):
            if path == missing[endpoint]:
                continue  # names nothing of anybody
            data = token if method == "POST" else None
            his = mallory.client.open(path, method=method, data=data)
            none = mallory.client.open(missing[endpoint], method=method, data=data)
            assert told(his) == told(none), path
            assert his.status_code == 404, path
            tried += 1
    assert tried >= 10
    assert books.read(app) == before


def test_no_name_in_an_address_makes_one_somebody_else(app: Flask, mallory: Visitor) -> None:
    """Whose page it is, the session says; what else the address says of it is not even read."""
    ids = bobs(app)
    of_bob = books.read(app).users[ids["user_id"]]
    names = {
        "user_id": of_bob["id"], "user": of_bob["id"], "customer": of_bob["stripe_customer_id"],
        "email": of_bob["email"], "id": of_bob["id"], "is_admin": "1",
    }  # fmt: skip
    headers = {f"X-{name.title()}": text for name, text in names.items()}
    for path in ("/account", "/account/credits", "/billing", "/balance", "/top-up"):
        plain = mallory.get(path)
        assert told(mallory.get(path, query_string=names, headers=headers)) == told(plain), path
    assert mallory.get("/balance", query_string=names).get_json()["balance"] == 0
