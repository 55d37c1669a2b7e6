"""Opening a payment: one customer, one intent for one purchase, and the server's amount."""

from datetime import timedelta

import pytest
from flask import Flask

from storefront.db import db, utc_text, utcnow
from storefront.payments import ADOPTION_AGE
from tests.support import books
from tests.support.builders import Customer, a_user, an_event, deliver
from tests.support.races import at_once, raised
from tests.support.shopping import KEY, opens
from tests.support.stub_stripe import StubStripe


@pytest.fixture
def ada(app: Flask) -> Customer:
    return a_user(app, stripe_id=None)


def rows_of(app: Flask, customer: Customer) -> list[books.Row]:
    rows = books.read(app).payments.values()
    return [row for row in rows if row["user_id"] == customer.id]


def age(app: Flask, payment_id: str, by: timedelta) -> None:
    """Let a payment have been untouched for so long."""
    moment = utcnow() - by
    books.execute(
        app,
        "UPDATE payments SET updated_at = :moment WHERE id = :id",
        moment=utc_text(moment) if books.is_sqlite(app) else moment,
        id=payment_id,
    )


def test_what_stripe_is_asked_for_is_the_catalogues(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    opened = opens(app, ada)
    (asked,) = stripe.calls("/v1/payment_intents")
    (row,) = rows_of(app, ada)
    assert asked.form == {
        "amount": "1000",
        "currency": "usd",
        "customer": books.read(app).users[ada.id]["stripe_customer_id"],
        "automatic_payment_methods[enabled]": "true",
        "description": "1,000 credits",
        "metadata[user_id]": ada.id,
        "metadata[payment_id]": row["id"],
        "metadata[pack]": "usd_10",
    }
    assert asked.key == f"{row['id']}:1"
    assert (row["amount_cents"], row["credits"], row["status"], row["stripe_intent_id"]) == (
        1000,
        1000,
        "requires_payment_method",
        opened.intent_id,
    )
    assert (opened.payment_id, opened.amount, opened.currency) == (row["id"], 1000, "usd")
    assert opened.client_secret == stripe.intents[opened.intent_id]["client_secret"]


def test_the_customer_is_made_once_and_linked_by_our_id(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    for number in range(3):
        opens(app, ada, key=f"{KEY}-{number}")
    (asked,) = stripe.calls("/v1/customers")
    assert asked.form == {"email": ada.email, "metadata[user_id]": ada.id}
    assert asked.key is not None and ada.id in asked.key


def test_two_people_with_one_address_written_differently_get_customers_of_their_own(
    app: Flask, stripe: StubStripe
) -> None:
    for email in ("ada@example.com", "ada+shop@example.com"):
        opens(app, a_user(app, stripe_id=None, email=email))
    customers = [row["stripe_customer_id"] for row in books.read(app).users.values()]
    assert len(set(customers)) == 2
    assert [asked.method for asked in stripe.asked if "customers" in asked.path] == ["POST"] * 2


def test_racing_requests_make_one_customer_and_one_intent(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    opened = at_once(app, [lambda: opens(app, ada)] * 6)
    assert raised(opened) == []
    assert len(set(opened)) == 1
    assert len(stripe.customers) == len(stripe.intents) == len(rows_of(app, ada)) == 1
    assert books.read(app).users[ada.id]["stripe_customer_id"] in stripe.customers


def test_racing_tabs_make_one_customer_and_an_intent_each(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    keys = [f"{KEY}-{number}" for number in range(4)]
    opened = at_once(app, [lambda key=key: opens(app, ada, key=key) for key in keys])  # type: ignore[misc]
    assert raised(opened) == []
    assert len(stripe.customers) == 1
    assert len(stripe.intents) == len(rows_of(app, ada)) == 4


@pytest.mark.parametrize("key", [KEY, None], ids=["with a key", "without"])
def test_a_reload_takes_up_the_same_intent(
    app: Flask, ada: Customer, stripe: StubStripe, key: str | None
) -> None:
    assert len({opens(app, ada, key=key) for _ in range(4)}) == 1
    assert len(stripe.intents) == 1


def test_another_pack_is_another_purchase_even_with_the_same_key(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    first, second = opens(app, ada, "usd_10"), opens(app, ada, "usd_20")
    assert (first.amount, second.amount) == (1000, 2000)
    assert opens(app, ada, "usd_10") == first
    assert len(stripe.intents) == 2


def test_two_keys_are_two_purchases_and_two_credits(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    for key in ("first-tab-0123456789", "second-tab-0123456789"):
        pays(app, stripe, opens(app, ada, key=key).intent_id)
    assert books.balance(app, ada.id) == 2000
    books.assert_clean(app)


def test_a_key_that_was_paid_says_so_and_opens_nothing_new(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    opened = opens(app, ada)
    pays(app, stripe, opened.intent_id)
    again = opens(app, ada)
    assert (again.payment_id, again.status) == (opened.payment_id, "succeeded")
    assert len(stripe.intents) == 1


def test_a_key_that_was_paid_unknown_to_us_is_settled_by_the_way(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    """Paid, the webhook is late, and the customer presses the button again."""
    opened = opens(app, ada)
    stripe.move(opened.intent_id, "succeeded")
    assert opens(app, ada).status == "succeeded"
    assert books.balance(app, ada.id) == 1000
    assert deliver(app.test_client(), an_event(stripe.intents[opened.intent_id])).status_code == 200
    assert books.balance(app, ada.id) == 1000


@pytest.mark.parametrize("status", ["succeeded", "processing"])
def test_without_a_key_what_is_paid_already_is_not_offered_again(
    app: Flask, ada: Customer, stripe: StubStripe, status: str
) -> None:
    first = opens(app, ada, key=None)
    stripe.move(first.intent_id, status)
    second = opens(app, ada, key=None)
    assert second.payment_id != first.payment_id
    assert second.status == "requires_payment_method"
    assert books.balance(app, ada.id) == (1000 if status == "succeeded" else 0)


def test_a_declined_payment_is_tried_again_with_the_same_intent(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    opened = opens(app, ada)
    error = {"type": "card_error", "code": "card_declined", "message": "Declined."}
    stripe.move(opened.intent_id, "requires_payment_method", last_payment_error=error)
    deliver(
        app.test_client(),
        an_event(stripe.intents[opened.intent_id], "payment_intent.payment_failed"),
    )
    assert opens(app, ada).intent_id == opened.intent_id


def test_a_canceled_payment_leaves_its_key_to_a_new_one(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    first = opens(app, ada)
    stripe.move(first.intent_id, "canceled")
    second = opens(app, ada)
    assert second.payment_id != first.payment_id
    assert opens(app, ada) == second
    assert {row["id"]: row["status"] for row in rows_of(app, ada)} == {
        first.payment_id: "canceled",
        second.payment_id: "requires_payment_method",
    }


def test_an_old_unpaid_payment_is_adopted_by_another_tab(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    first = opens(app, ada, key="closed-tab-0123456789")
    age(app, first.payment_id, ADOPTION_AGE + timedelta(minutes=1))
    adopted = opens(app, ada, key="new-tab-0123456789")
    assert adopted.intent_id == first.intent_id
    assert len(stripe.intents) == 1
    third = opens(app, ada, key="closed-tab-0123456789")
    assert third.intent_id != first.intent_id, "the old key has lost it"


def test_a_young_unpaid_payment_is_not_adopted(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    first = opens(app, ada, key="open-tab-0123456789")
    age(app, first.payment_id, ADOPTION_AGE - timedelta(minutes=1))
    assert opens(app, ada, key="new-tab-0123456789").intent_id != first.intent_id


def test_nobody_adopts_or_names_another_customers_payment(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    hers = opens(app, ada)
    age(app, hers.payment_id, ADOPTION_AGE * 2)
    his = opens(app, a_user(app, stripe_id=None))
    assert his.intent_id != hers.intent_id
    assert his.client_secret != hers.client_secret


def test_a_changed_price_opens_another_payment(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    first = opens(app, ada, key=None)
    books.execute(app, "UPDATE payments SET amount_cents = 900 WHERE id = :id", id=first.payment_id)
    second = opens(app, ada, key=None)
    assert (second.amount, second.payment_id == first.payment_id) == (1000, False)


def test_no_transaction_is_open_while_stripe_is_called(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    """Asked of the pool from within Stripe: no connection is out while it answers."""
    with app.app_context():
        pool = db.engine.pool
    out: list[int] = []
    stripe.on_request = lambda: out.append(pool.checkedout())  # type: ignore[attr-defined]
    opened = opens(app, ada)
    opens(app, ada)
    stripe.forgets(opened.intent_id)
    opens(app, ada)
    assert len(out) >= 5, "customer, intent, its retrieval, the missing one, the new one"
    assert set(out) == {0}


def pays(app: Flask, stripe: StubStripe, intent_id: str) -> None:
    """The customer pays at Stripe, which tells us."""
    stripe.move(intent_id, "succeeded")
    assert deliver(app.test_client(), an_event(stripe.intents[intent_id])).status_code == 200
