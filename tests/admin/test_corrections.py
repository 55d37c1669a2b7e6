"""Credits granted and taken by hand: one form is one transfer, and each says who and why."""

import json
import re
from datetime import timedelta

import pytest
from flask import Flask

from storefront.admin import correcting
from storefront.admin.correcting import Correction
from storefront.auditing import Actor
from storefront.db import utcnow
from storefront.errors import BadInput, TransferConflict
from tests.admin.operator import Operator, deeds
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.support.races import at_once, raised
from tests.web.visitor import main_text


@pytest.fixture
def customer(app: Flask) -> Customer:
    return a_user(app)


def test_credits_are_granted_and_taken_with_a_reason(
    app: Flask, operator: Operator, customer: Customer
) -> None:
    path = f"/admin/customers/{customer.id}/credits"
    for direction, credits, then in (("add", "1,500", 1500), ("take", "2000", -500)):
        asked = operator.get(
            path, query_string={"direction": direction, "credits": credits, "reason": "A mistake"}
        )
        shown = f"Balance then {then:,} credits".replace("-", "−")
        assert shown in main_text(asked)
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.text))
        for _ in range(2):  # the button is pressed twice
            assert operator.client.post(path, data=form).status_code == 303
        assert books.balance(app, customer.id) == then
        query = {"direction": direction, "credits": credits, "reason": "x"}
        back = operator.get(path, query_string=query | {"form_id": form["form_id"]})
        assert "This was done already." in main_text(back)
    assert "will owe 500 credits" in asked.text
    first, second = deeds(app)
    assert (first.action, first.who, first.subject, first.reason) == (
        "credits_granted", operator.email, customer.id, "A mistake",
    )  # fmt: skip
    assert (json.loads(first.before or ""), second.action) == ({"balance": 0}, "credits_taken")
    assert json.loads(second.after or "")["balance"] == -500
    own = books.read(app).transfers_of(customer.id)
    assert [it["note"] for it in own] == ["A mistake", "A mistake"]
    books.assert_clean(app)


def test_two_at_once_grant_once(app: Flask, customer: Customer) -> None:
    actor = Actor(None, "somebody", "")
    wanted = Correction(correcting.new_form_id(), customer.id, "add", 70, "sorry")
    outcomes = at_once(app, [lambda: correcting.correct(actor, wanted).id] * 4)
    assert raised(outcomes) == []
    assert books.balance(app, customer.id) == 70
    assert len(deeds(app)) == 1
    other = Correction(wanted.form_id, customer.id, "add", 71, "sorry")
    with app.app_context(), pytest.raises(TransferConflict):
        correcting.correct(actor, other)
    assert books.balance(app, customer.id) == 70


def test_what_cannot_be_is_refused_with_a_sentence(app: Flask, customer: Customer) -> None:
    def refusal(**changes: object) -> str:
        given = {
            "form_id": correcting.new_form_id(), "user_id": customer.id, "direction": "add",
            "credits": "5", "reason": "why", "expires_at": None,
        } | changes  # fmt: skip
        with pytest.raises(BadInput) as error:
            correcting.read(**given)  # type: ignore[arg-type]
        return error.value.detail

    assert refusal(form_id="adj_1").startswith("This form is not one of ours.")
    assert refusal(direction="") == "Choose whether to add credits or to take them."
    for credits in ("", "0", "-5", "1.5", "1e3", "٣", "9" * 10):
        assert "whole number above zero" in refusal(credits=credits)
    assert refusal(reason=" ").startswith("Say why")
    past, future = utcnow() - timedelta(days=1), utcnow() + timedelta(days=1)
    assert refusal(expires_at=past).startswith("Only credits that are added can expire")
    assert refusal(expires_at=future, direction="take").startswith("Only credits that are added")
    with app.app_context():
        lasting = correcting.read(correcting.new_form_id(), customer.id, "add", "9", "gift", future)
        assert correcting.preview(lasting) == (0, 9)
    assert books.read(app).transfers == {}
