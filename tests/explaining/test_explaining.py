"""A balance, at any moment, led back credit by credit to what Stripe said."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from storefront import explaining, ledger
from storefront.db import db, transaction, utcnow
from storefront.explaining import Explanation, Parcel
from storefront.ledger import Order
from storefront.subscriptions import Invoice
from tests.support.builders import (
    Customer,
    Purchase,
    a_payment,
    a_user,
    an_event,
    declined,
    deliver,
    paid,
)
from tests.support.lots import FIRST_OF_JANUARY

DAY = timedelta(days=1)
FEBRUARY, MARCH = FIRST_OF_JANUARY + 31 * DAY, FIRST_OF_JANUARY + 59 * DAY


def move(app: Flask, *orders: Order) -> None:
    with app.app_context(), transaction() as session:
        ledger.transfer_all(session, orders)


def pays(app: Flask, user: Customer, credits: int = 1000) -> Purchase:
    purchase = a_payment(app, user, credits=credits)
    assert deliver(app.test_client(), paid(purchase)).status_code == 200
    return purchase


def refunds(app: Flask, purchase: Purchase, credits: int, id: str) -> None:
    order = Order(
        id,
        "refund",
        purchase.customer.id,
        credits,
        payment_id=purchase.id,
        take_from=(f"payment:{purchase.id}",),
    )
    move(app, order)


def explain(
    app: Flask, user: Customer, at: datetime | None = None, limit: int = 100
) -> Explanation:
    with app.app_context():
        return explaining.explain(db.session(), user.id, at, limit=limit)


def told(parcels: tuple[Parcel, ...]) -> list[tuple[str, int, int]]:
    return [(it.cause.transfer_id, it.credits, it.of) for it in parcels]


def an_invoice(app: Flask, user: Customer, id: str) -> None:
    now = utcnow()
    with app.app_context(), transaction() as session:
        session.add(
            Invoice(
                id=id,
                user_id=user.id,
                stripe_subscription_id="sub_1",
                status="paid",
                currency="usd",
                total=1900,
                amount_due=1900,
                amount_paid=1900,
                stripe_intent_id="pi_of_invoice",
                created_at=now,
                paid_at=now,
            )
        )


def test_who_never_had_credits_has_nothing_to_explain(app: Flask) -> None:
    found = explain(app, a_user(app))
    assert (found.version, found.balance, found.parcels, found.debts, found.older) == (
        (0, 0, (), (), 0)
    )


def test_a_payment_is_told_with_its_intent_and_the_events_about_it(app: Flask) -> None:
    ada = a_user(app)
    purchase = a_payment(app, ada, amount=1000, credits=1100)
    refused, succeeded = declined(purchase, created=1_800_000_000), paid(purchase)
    for delivered in (refused, succeeded, paid(a_payment(app))):
        deliver(app.test_client(), delivered)
    (parcel,) = explain(app, ada).parcels
    assert (parcel.credits, parcel.of, parcel.expires_at) == (1100, 1100, None)
    cause = parcel.cause
    assert (cause.text, cause.amount, cause.currency) == ("Credits bought", 1000, "usd")
    assert (cause.payment_id, cause.stripe_ids) == (purchase.id, (purchase.intent_id,))
    assert {(it.id, it.type, it.state, it.object_id) for it in cause.events} == {
        (refused["id"], "payment_intent.payment_failed", "handled", purchase.intent_id),
        (succeeded["id"], "payment_intent.succeeded", "handled", purchase.intent_id),
    }


def test_a_plans_credits_are_told_with_their_invoice_and_their_end(app: Flask) -> None:
    ada = a_user(app)
    an_invoice(app, ada, "in_1")
    voided = an_event({"id": "in_1", "object": "invoice", "customer": "cus_x"}, "invoice.voided")
    deliver(app.test_client(), voided)
    note = "Premium, 1 Jan – 1 Feb 2031"
    order = Order("invoice:in_1:il_1:2", "plan_grant", ada.id, 300, note=note, expires_at=FEBRUARY)
    move(app, order, Order("spent", "spend", ada.id, 100))
    (parcel,) = explain(app, ada).parcels
    assert (parcel.credits, parcel.of, parcel.expires_at) == (200, 300, FEBRUARY)
    cause = parcel.cause
    assert cause.text == "Credits of your plan: Premium, 1 Jan – 1 Feb 2031"
    assert (cause.invoice_id, cause.amount, cause.currency) == ("in_1", 1900, "usd")
    assert cause.stripe_ids == ("in_1", "pi_of_invoice", "sub_1")
    assert [it.id for it in cause.events] == [voided["id"]]


def test_what_ends_first_stands_first_and_lasting_credits_after_it_newest_first(
    app: Flask,
) -> None:
    ada = a_user(app)
    move(
        app,
        Order("old", "top_up", ada.id, 100),
        Order("march", "plan_grant", ada.id, 20, expires_at=MARCH),
        Order("new", "top_up", ada.id, 100),
        Order("february", "plan_grant", ada.id, 10, expires_at=FEBRUARY),
        Order("spent", "spend", ada.id, 55),
    )
    found = explain(app, ada)
    assert told(found.parcels) == [("new", 100, 100), ("old", 75, 100)]
    assert found.balance == 175
    found = explain(app, ada, at_version(app, ada, 4))
    assert told(found.parcels) == [
        ("february", 10, 10),
        ("march", 20, 20),
        ("new", 100, 100),
        ("old", 100, 100),
    ]


def at_version(app: Flask, user: Customer, version: int) -> datetime:
    """The moment at which the wallet had so many transfers."""
    with app.app_context():
        rows = ledger.history(db.session(), user.id, limit=1000)
        return next(row.created_at for row in rows if row.wallet_version == version)


def test_the_balance_of_any_moment_is_explained_as_it_was_then(app: Flask) -> None:
    ada = a_user(app)
    before = utcnow()
    move(app, Order("bought", "top_up", ada.id, 100))
    move(app, Order("plan", "plan_grant", ada.id, 30, expires_at=FEBRUARY))
    move(app, Order("spent", "spend", ada.id, 50))
    move(app, Order("back", "refund", ada.id, 200))
    move(app, Order("next", "plan_grant", ada.id, 150, expires_at=FEBRUARY))
    moments = [before, *(at_version(app, ada, version) for version in (1, 2, 3, 4, 5))]
    found = [explain(app, ada, moment) for moment in moments]
    assert [(it.version, it.balance) for it in found] == [
        (0, 0),
        (1, 100),
        (2, 130),
        (3, 80),
        (4, -120),
        (5, 30),
    ]
    assert [told(it.parcels) for it in found] == [
        [],
        [("bought", 100, 100)],
        [("plan", 30, 30), ("bought", 100, 100)],
        [("bought", 80, 100)],
        [],
        [("next", 30, 150)],
    ]
    assert [told(it.debts) for it in found] == [[], [], [], [], [("back", 120, 200)], []]


def test_a_refund_comes_off_what_its_own_payment_brought(app: Flask) -> None:
    """Bought twice, 500 spent, the second payment refunded: what is left is of the first."""
    ada = a_user(app)
    first, second = pays(app, ada), pays(app, ada)
    move(app, Order("spent", "spend", ada.id, 500))
    assert told(explain(app, ada).parcels) == [
        (f"payment:{second.id}", 1000, 1000),
        (f"payment:{first.id}", 500, 1000),
    ]
    refunds(app, second, 1000, "refund:re_1")
    assert told(explain(app, ada).parcels) == [(f"payment:{first.id}", 500, 1000)]


def test_what_a_failed_refund_brought_back_is_the_payments_again(app: Flask) -> None:
    ada = a_user(app)
    first, second = pays(app, ada), pays(app, ada)
    refunds(app, second, 1000, "refund:re_1")
    back = Order("refund:re_1:failed", "refund_reversed", ada.id, 1000, payment_id=second.id)
    move(app, back, Order("spent", "spend", ada.id, 500))
    assert told(explain(app, ada).parcels) == [
        (f"payment:{second.id}", 1000, 1000),
        (f"payment:{first.id}", 500, 1000),
    ]


def test_a_debt_is_told_with_its_refund_and_the_oldest_is_paid_first(app: Flask) -> None:
    ada = a_user(app)
    first, second = pays(app, ada), pays(app, ada)
    move(app, Order("spent", "spend", ada.id, 2000))
    refunds(app, first, 1000, "refund:re_1")
    refunds(app, second, 1000, "refund:re_2")
    deliver(app.test_client(), an_event({"id": "re_2", "object": "refund"}, "refund.x"))
    found = explain(app, ada)
    assert told(found.debts) == [("refund:re_2", 1000, 1000), ("refund:re_1", 1000, 1000)]
    cause = found.debts[0].cause
    assert (cause.text, cause.payment_id) == ("Refund", second.id)
    assert cause.stripe_ids == ("re_2", second.intent_id)
    assert [it.object_id for it in cause.events] == ["re_2", second.intent_id]
    move(app, Order("paid", "top_up", ada.id, 1300))
    assert told(explain(app, ada).debts) == [("refund:re_2", 700, 1000)]
    assert explain(app, ada).parcels == ()


def test_only_so_many_causes_are_told_apart_and_the_rest_is_a_number(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    move(app, *(Order(f"{n}", "top_up", ada.id, 10) for n in range(450)))
    move(app, *(Order(f"d{n}", "refund", bob.id, 10) for n in range(5)))
    found = explain(app, ada, limit=3)
    assert (told(found.parcels), found.older) == (
        [("449", 10, 10), ("448", 10, 10), ("447", 10, 10)],
        4470,
    )
    assert len(explain(app, ada, limit=1000).parcels) == 450
    found = explain(app, bob, limit=2)
    assert (told(found.debts), found.older) == ([("d4", 10, 10), ("d3", 10, 10)], 30)


def test_nobody_is_told_of_anothers_credits(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    pays(app, ada)
    move(app, Order("bob's", "plan_grant", bob.id, 5, expires_at=FEBRUARY))
    assert told(explain(app, bob).parcels) == [("bob's", 5, 5)]


@pytest.mark.parametrize("count", [1, 60])
def test_a_long_history_asks_no_more_of_the_database(app: Flask, count: int) -> None:
    ada = a_user(app)
    for _ in range(count):
        pays(app, ada, credits=10)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        assert len(explaining.explain(db.session(), ada.id).parcels) == count
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(statements) <= 8, statements
