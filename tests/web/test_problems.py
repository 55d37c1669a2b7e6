"""What programs get when something is wrong: problem documents (RFC 9457), each one clear."""

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from storefront.db import db
from storefront.payments import Payment
from tests.support.builders import a_payment
from tests.web.visitor import Visitor, a_visitor

CREATE = "/payments/create-payment-intent"


def problem(answer: TestResponse, status: int, says: str) -> None:
    """The answer is a problem document with this status, and says this."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    document = answer.get_json()
    assert set(document) == {"type", "title", "status", "detail", "code"}
    assert document["status"] == status
    assert says in document["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"pack": "usd_7"}, "Choose one of: usd_5, usd_10, usd_20, usd_50"),
        ({"pack": ""}, "no such pack"),
        ({"pack": None}, "no such pack"),
        ({"pack": ["usd_10"]}, "no such pack"),
        ({"pack": {"code": "usd_10"}}, "no such pack"),
        ({"pack": 10}, "no such pack"),
        ({"amount_usd": 7}, "Amounts on offer: $5, $10, $20, $50"),
        ({"amount_usd": 0}, "not offered"),
        ({"amount_usd": -10}, "not offered"),
        ({"amount_usd": 10.001}, "not offered"),
        ({"amount_usd": 10**400}, "not offered"),
        ({"amount_usd": "10"}, "must be a number"),
        ({"amount_usd": "1e1"}, "must be a number"),
        ({"amount_usd": "١٠"}, "must be a number"),
        ({"amount_usd": True}, "must be a number"),
        ({"amount_usd": [10]}, "must be a number"),
        ({"amount_usd": None}, "must be a number"),
        ({}, 'either "pack" or "amount_usd"'),
        ({"pack": "usd_10", "amount_usd": 10}, 'either "pack" or "amount_usd"'),
        ({"pack": "usd_10", "amount": 1}, 'either "pack" or "amount_usd"'),
        ({"pack": "usd_10", "currency": "jpy"}, 'either "pack" or "amount_usd"'),
        ({"pack": "usd_10", "user_id": "usr_x"}, 'either "pack" or "amount_usd"'),
        ({"pack": "usd_10", "order_key": "short"}, "16 to 64"),
        ({"pack": "usd_10", "order_key": "x" * 65}, "16 to 64"),
        ({"pack": "usd_10", "order_key": 5}, "16 to 64"),
        (["usd_10"], "Send a JSON object"),
        ("usd_10", "Send a JSON object"),
    ],
)
def test_orders_that_make_no_sense(signed_in: Visitor, body: object, says: str) -> None:
    problem(signed_in.order(body), 400, says)
    assert _payments(signed_in.client.application) == 0


@pytest.mark.parametrize(
    "body", ['{"pack":', "", "null", "pack=usd_10", '{"amount_usd": NaN}', '{"amount_usd": 1e999}']
)
def test_bodies_that_are_no_json(signed_in: Visitor, body: str) -> None:
    answer = _raw(signed_in, body, "application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert _payments(signed_in.client.application) == 0


def test_json_nested_without_end(signed_in: Visitor) -> None:
    answer = _raw(signed_in, "[" * 30_000, "application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_under_another_name(signed_in: Visitor, kind: str) -> None:
    problem(_raw(signed_in, '{"pack": "usd_10"}', kind), 400, "Content-Type: application/json")


def test_a_huge_body(signed_in: Visitor) -> None:
    answer = _raw(signed_in, '{"pack": "' + "x" * 70_000 + '"}', "application/json")
    problem(answer, 413, "larger than is accepted")


def test_signed_out(app: Flask) -> None:
    answer = app.test_client().post(CREATE, json={"pack": "usd_10"})
    problem(answer, 401, "Sign in")
    problem(app.test_client().get("/balance"), 401, "Sign in")


def test_without_token(signed_in: Visitor) -> None:
    problem(signed_in.client.post(CREATE, json={"pack": "usd_10"}), 403, "Load it again")


def test_stripe_down(signed_in: Visitor) -> None:
    answer = signed_in.order({"pack": "usd_10"})
    problem(answer, 503, "Nothing was charged")
    assert int(answer.headers["Retry-After"]) > 0
    assert signed_in.client.get("/balance").get_json()["balance"] == 0


def test_the_balance_for_scripts(signed_in: Visitor) -> None:
    answer = signed_in.get("/balance")
    assert answer.get_json() == {"balance": 0, "needs_top_up": True}


def test_no_such_page(visitor: Visitor) -> None:
    answer = visitor.get("/nowhere", headers={"Accept": "application/json"})
    problem(answer, 404, "no such page")
    person = visitor.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert person.content_type.startswith("text/html")


def test_somebody_elses_payment_and_none_are_told_alike(app: Flask, signed_in: Visitor) -> None:
    payment = a_payment(app)
    owner = a_visitor(app)
    owner.signs_in(email=payment.customer.email)
    assert owner.get(f"/payments/{payment.id}").status_code == 200
    for accept in ("application/json", "text/html"):
        headers = {"Accept": accept}
        foreign = signed_in.get(f"/payments/{payment.id}", headers=headers)
        missing = signed_in.get("/payments/pay_none", headers=headers)
        assert foreign.status_code == missing.status_code == 404
        assert len(foreign.data) == len(missing.data)


def _raw(visitor: Visitor, body: str, content_type: str) -> TestResponse:
    headers = {"X-CSRFToken": visitor.token("/top-up", r'data-csrf-token="([^"]+)"')}
    return visitor.client.post(CREATE, data=body, content_type=content_type, headers=headers)


def _payments(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Payment)) or 0
