"""Events looked at, rehearsed, tried again and replayed; jobs tried again."""

from flask import Flask

from storefront import inbox
from storefront.admin import events
from storefront.db import db
from tests.admin.operator import Operator, deeds
from tests.support import books
from tests.support.builders import a_payment, an_event, an_intent, event_of, paid
from tests.support.money_back import a_paid_top_up, a_refund, hears, refunded
from tests.support.promised import promised, states
from tests.web.visitor import main_text


def everything(app: Flask) -> books.Books:
    return books.read(app)


def test_a_forecast_says_what_happens_and_does_nothing(app: Flask) -> None:
    bought = a_paid_top_up(app)
    refund = refunded(a_refund(bought, 400))
    event = paid(a_payment(app))
    for body in (refund, event):
        with app.app_context():
            inbox.begin(event_of(app, body))
        before = everything(app), states(app)
        with app.app_context():
            forecast = events.forecast(db.session(), body["id"])
        assert (everything(app), states(app)) == before
        hears(app, body)
        after = everything(app)
        new = set(after.transfers) - set(before[0].transfers)
        assert {row["id"] for row in forecast.transfers} == new
        for row in forecast.transfers:
            assert row["balance_after"] == after.transfers[row["id"]]["balance_after"]
        assert {row["key"] for row in forecast.jobs} == set(states(app)) - set(before[1])
        assert (forecast.state, forecast.error) == ("handled", None)
        with app.app_context():  # and now that it is done, nothing is left to do
            again = events.forecast(db.session(), body["id"])
        assert (again.transfers, again.jobs) == ([], [])


def test_a_parked_event_is_explained_mended_and_tried_again(app: Flask, operator: Operator) -> None:
    purchase = a_payment(app)
    wrong = an_event(an_intent(purchase, amount_received=999))
    assert hears(app, wrong) == ["parked"]
    page = f"/admin/events/{wrong['id']}"
    listed = operator.get("/admin/events?state=parked")
    assert page in listed.text
    shown = main_text(operator.get(page, query_string={"forecast": "yes"}))
    assert f"It would fail: {purchase.intent_id}: received 999 usd, but payment" in shown
    books.execute(app, "UPDATE payments SET amount_cents = 999 WHERE id = :id", id=purchase.id)
    body = an_event(an_intent(purchase, amount=999, amount_received=999), id=wrong["id"])
    payload = "UPDATE stripe_events SET payload = :payload"
    books.execute(app, payload, payload=event_of(app, body).payload)
    answer = operator.submit(f"{page}/retry", token_from=page)
    assert answer.status_code == 303
    assert books.balance(app, purchase.customer.id) == 1000
    assert operator.submit(f"{page}/retry", token_from=page).status_code == 400
    for _ in range(2):
        assert operator.submit(f"{page}/replay", token_from=page).status_code == 303
    assert books.balance(app, purchase.customer.id) == 1000
    done = [(it.action, it.subject, it.before) for it in deeds(app)]
    assert done == [
        ("event_retried", wrong["id"], '{"state": "parked"}'),
        *[("event_replayed", wrong["id"], '{"state": "handled"}')] * 2,
    ]
    about = main_text(operator.get(page))
    assert f"+1,000 credits, balance 1,000 after it: payment:{purchase.id}" in about


def test_a_job_that_was_given_up_is_tried_again(app: Flask, operator: Operator) -> None:
    promised(app, "mail_receipt", "mail_receipt:pay_1", payment_id="pay_1")
    given_up = "UPDATE jobs SET attempts = 20, last_error = 'no server', given_up_at = run_at"
    books.execute(app, given_up)
    page = operator.get("/admin/jobs?state=given+up")
    assert "mail_receipt:pay_1" in page.text
    assert "no server" in page.text
    sent = {"key": "mail_receipt:pay_1", "back": "/admin/jobs"}
    assert operator.submit("/admin/jobs/retry", token_from="/account", **sent).status_code == 303
    assert states(app) == {"mail_receipt:pay_1": "waiting"}
    sent["key"] = "mail_receipt:pay_2"
    assert operator.submit("/admin/jobs/retry", token_from="/account", **sent).status_code == 400
    assert [(it.action, it.subject) for it in deeds(app)] == [("job_retried", "mail_receipt:pay_1")]
