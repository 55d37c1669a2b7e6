"""When the webhook is late, the payment's page asks Stripe and applies the answer as a webhook
would: the same function, the same checks, once."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from storefront import payments
from storefront.db import db, utc_text, utcnow
from storefront.errors import NotFound, StripeUnavailable, Unprocessable
from storefront.payments import ASKING_INTERVAL, Opened
from tests.support import books
from tests.support.builders import Customer, a_user, an_event, deliver
from tests.support.races import at_once, raised
from tests.support.shopping import opens
from tests.support.stub_stripe import DOWN, StubStripe


@pytest.fixture
def ada(app: Flask) -> Customer:
    return a_user(app, stripe_id=None)


@pytest.fixture
def opened(app: Flask, ada: Customer) -> Opened:
    """A payment of Ada's that has been open for a while."""
    payment = opens(app, ada)
    let_time_pass(app, payment)
    return payment


def let_time_pass(app: Flask, opened: Opened) -> None:
    last_asked(app, opened, utcnow() - ASKING_INTERVAL - timedelta(seconds=1))


def last_asked(app: Flask, opened: Opened, moment: datetime) -> None:
    books.execute(
        app,
        "UPDATE payments SET updated_at = :moment WHERE id = :id",
        moment=utc_text(moment) if books.is_sqlite(app) else moment,
        id=opened.payment_id,
    )


def refreshes(app: Flask, customer: Customer, opened: Opened) -> str:
    """What the page does; the payment's status then."""
    with app.app_context():
        payment = payments.find(db.session(), opened.payment_id, customer.id)
        payments.refresh(app.extensions["stripe_gateway"], payment)
        return payment.status


def times_asked(stripe: StubStripe) -> int:
    return sum(asked.method == "GET" for asked in stripe.asked)


def test_a_payment_that_stripe_calls_paid_is_credited_once(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    stripe.move(opened.intent_id, "succeeded")
    assert refreshes(app, ada, opened) == "succeeded"
    assert books.balance(app, ada.id) == 1000
    for _ in range(2):
        event = an_event(stripe.intents[opened.intent_id])
        assert deliver(app.test_client(), event).status_code == 200
    assert refreshes(app, ada, opened) == "succeeded"
    assert books.balance(app, ada.id) == 1000
    books.assert_clean(app)


def test_page_and_webhook_at_once_credit_once(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    stripe.move(opened.intent_id, "succeeded")
    event = an_event(stripe.intents[opened.intent_id])
    outcomes = at_once(
        app,
        [
            lambda: refreshes(app, ada, opened),
            lambda: deliver(app.test_client(), event).status_code,
        ]
        * 3,
    )
    assert raised(outcomes) == []
    assert set(outcomes) == {"succeeded", 200}
    assert books.balance(app, ada.id) == 1000


@pytest.mark.parametrize("status", ["processing", "requires_action", "canceled"])
def test_what_stripe_says_now_stands(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe, status: str
) -> None:
    """Also backwards: a decline is forgotten when the customer tries again."""
    error = {"type": "card_error", "code": "card_declined", "message": "Declined."}
    declined = stripe.intents[opened.intent_id] | {"last_payment_error": error}
    deliver(app.test_client(), an_event(declined, "payment_intent.payment_failed"))
    let_time_pass(app, opened)
    stripe.move(opened.intent_id, status)
    assert refreshes(app, ada, opened) == status
    assert books.read(app).payments[opened.payment_id]["failure_code"] is None
    assert books.read(app).transfers == {}


def test_what_contradicts_our_row_credits_nothing(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    stripe.move(opened.intent_id, "succeeded", amount_received=1)
    with pytest.raises(Unprocessable):
        refreshes(app, ada, opened)
    assert books.read(app).transfers == {}
    assert books.read(app).payments[opened.payment_id]["status"] == "requires_payment_method"


def test_a_polling_page_does_not_poll_stripe(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    for _ in range(5):
        refreshes(app, ada, opened)
    assert times_asked(stripe) == 1


def test_a_machine_whose_clock_was_ahead_keeps_nobody_from_asking(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    last_asked(app, opened, utcnow() + timedelta(minutes=10))
    stripe.move(opened.intent_id, "succeeded")
    assert refreshes(app, ada, opened) == "succeeded"


def test_a_payment_that_is_final_is_not_asked_for(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    deliver(app.test_client(), an_event(stripe.intents[opened.intent_id] | PAID))
    let_time_pass(app, opened)
    assert refreshes(app, ada, opened) == "succeeded"
    assert times_asked(stripe) == 0


PAID = {"status": "succeeded", "amount_received": 1000}


def test_when_stripe_is_down_nothing_changes(
    app: Flask, ada: Customer, opened: Opened, stripe: StubStripe
) -> None:
    before = books.read(app)
    stripe.fails("/v1/payment_intents", DOWN, DOWN)
    with pytest.raises(StripeUnavailable):
        refreshes(app, ada, opened)
    assert books.read(app) == before


def test_a_foreign_payment_is_as_missing_as_one_that_is_not_there(
    app: Flask, opened: Opened, stripe: StubStripe
) -> None:
    stranger, messages = a_user(app), []
    for payment_id in (opened.payment_id, "pay_unknown"):
        with app.app_context(), pytest.raises(NotFound) as caught:
            payments.find(db.session(), payment_id, stranger.id)
        messages.append(caught.value.detail)
    assert messages[0] == messages[1]
    assert times_asked(stripe) == 0
