"""Text that wants to be markup, or a formula: on every page, in every file."""

import csv
import io
import re

from flask import Flask
from werkzeug.test import TestResponse

from storefront.stripe_gateway import reading
from tests.admin.operator import Operator, made_operator
from tests.security.routes import fields, its_ids, paths
from tests.support import books
from tests.support.billing_rows import a_subscription, an_invoice
from tests.support.builders import (
    Customer,
    a_decline,
    a_payment,
    a_user,
    an_event,
    an_intent,
    deliver,
)
from tests.support.money_back import a_dispute, a_paid_top_up, a_refund, disputed, hears, refunded
from tests.web.visitor import Visitor, a_visitor

MARKUP = "\"'><script>alert(1)</script>"


def everywhere(app: Flask) -> Customer:
    """A customer with markup in every text of theirs, of Stripe's and of operators'."""
    customer = a_user(app, email=f"{MARKUP}@example.com")
    failed = a_payment(
        app, customer, status="requires_payment_method", pack_or_plan=MARKUP,
        failure_code=MARKUP, failure_message=MARKUP,
    )  # fmt: skip
    intent = an_intent(
        failed, "requires_payment_method", last_payment_error=a_decline(MARKUP, MARKUP),
        metadata={"payment_id": MARKUP, "name": MARKUP}, description=MARKUP,
    )  # fmt: skip
    for event in (
        an_event(intent, "payment_intent.payment_failed"),
        an_event(intent, f"payment_intent.{MARKUP}"),
        an_event(an_intent(failed, metadata={"payment_id": MARKUP}, id="pi_of_nobody")),
    ):
        assert deliver(app.test_client(), event).status_code == 200
    bought = a_paid_top_up(app, customer)
    hears(app, refunded(a_refund(bought, 100, reason=MARKUP)))
    hears(app, disputed(a_dispute(bought, reason=MARKUP), "created"))
    a_subscription(app, customer, MARKUP, plan=MARKUP, interval=MARKUP)
    an_invoice(app, customer, number=MARKUP, description=MARKUP)
    books.execute(app, "UPDATE jobs SET last_error = :text", text=MARKUP)
    return customer


def test_no_stored_text_becomes_markup(app: Flask, operator: Operator) -> None:
    """Whatever a customer typed, Stripe said or an operator wrote, on every page that shows it."""
    customer = everywhere(app)
    made_operator(app, customer)
    victim = Visitor(app.test_client(), customer.email)
    with victim.client.session_transaction() as session:
        session["_user_id"] = f"{customer.id}:1:of-this-test"
    asked = operator.get(
        f"/admin/customers/{customer.id}/credits",
        query_string={"direction": "add", "credits": "5", "reason": MARKUP},
    )
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.text))
    form["reason"] = MARKUP
    done = operator.client.post(f"/admin/customers/{customer.id}/credits", data=form)
    assert done.status_code == 303
    ids = [{"user_id": customer.id, "checkout_id": "x"}]
    stored = books.read(app)
    ids += [{"payment_id": id, "subject": id} for id in stored.payments]
    ids += [{"event_id": id} for id in stored.events]
    pages = {path for each in ids for _, path in paths(app, "GET", **each)}
    answers = [who.get(path, buffered=True) for path in sorted(pages) for who in (victim, operator)]
    assert escaped_everywhere(answers) > 40, "it was there to be seen"


def test_no_text_of_an_address_comes_back_as_markup(app: Flask, operator: Operator) -> None:
    answers = []
    for endpoint, path in paths(app, "GET", **its_ids(app)):
        query = dict.fromkeys(fields(app, endpoint), MARKUP)
        for who in (operator, a_visitor(app)):
            answers.append(who.get(path, query_string=query, buffered=True))
    for path in (f"/{MARKUP}", f"/payments/{MARKUP}", f"/admin/customers/{MARKUP}"):
        answers.append(operator.get(path))
    assert escaped_everywhere(answers) > 10, "it was there to be seen"
    named = operator.get("/", headers={"X-Request-ID": MARKUP, "User-Agent": MARKUP})
    assert "alert" not in named.text + str(named.headers)


def escaped_everywhere(answers: list[TestResponse]) -> int:
    """How often the markup is shown as text; it is markup on no page, and what is no page is never
    taken for one."""
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.mimetype == "text/html":
            assert "<script>alert" not in answer.text, answer.request.path
    return sum(answer.text.count("&lt;script&gt;alert(1)") for answer in answers)


def test_no_cell_of_a_file_is_a_formula(app: Flask, operator: Operator) -> None:
    """An address of e-mail may begin with = or +, and anybody can register it."""
    for sign in "=+-@":
        a_user(app, email=f"{sign}1+cmd|'/c calc'!a1@example.com")
    a_payment(app, pack_or_plan="=1+1")
    deliver(app.test_client(), an_event({"id": "pi_x", "object": "payment_intent"}, "=1+1"))
    books.execute(app, "UPDATE jobs SET last_error = '@SUM(1)'")
    for endpoint, path in paths(app, "GET"):
        if not path.endswith(".csv"):
            continue
        answer = operator.get(path)
        assert answer.mimetype == "text/csv"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        for row in csv.reader(io.StringIO(answer.text)):
            assert [it for it in row if re.match(r"[=+@\t\r\n]|-(?!\d+$)", it)] == [], endpoint
    assert "'=1+cmd" in operator.get("/admin/customers.csv").text


def test_a_link_of_stripe_s_leads_to_the_web_alone() -> None:
    for address in ("javascript:alert(1)", "data:text/html,x", " https://x", "//x", "", None, 7):
        assert reading.link(address) is None, address
    assert reading.link("https://invoice.stripe.com/i/1") == "https://invoice.stripe.com/i/1"
