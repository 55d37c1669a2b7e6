"""Refunds of top-ups and purchases: what they take, when, and what comes back."""

from collections.abc import Iterator

import pytest
from flask import Flask

from storefront import checkouts, ledger
from storefront.db import db, transaction
from tests.support import books
from tests.support.builders import a_payment, a_user, an_event, paid
from tests.support.checkouts import a_checkout, completed
from tests.support.money_back import (
    a_paid_top_up,
    a_refund,
    a_refunded_charge,
    hears,
    moved_by,
    refunded,
    rows,
)
from tests.support.promised import states


@pytest.fixture(autouse=True)
def books_are_clean_afterwards(app: Flask) -> Iterator[None]:
    yield
    books.assert_clean(app)


def payment_of(app: Flask, id: str) -> books.Row:
    return books.read(app).payments[id]


def test_a_full_refund_takes_all_credits_bonus_and_all(app: Flask) -> None:
    bought = a_paid_top_up(app, credits=1100)
    refund = a_refund(bought)
    assert hears(app, refunded(refund)) == ["handled"]
    assert books.balance(app, bought.customer.id) == 0
    assert payment_of(app, bought.id)["amount_refunded"] == 1000
    transfer = books.read(app).transfers[f"refund:{refund['id']}"]
    assert (transfer["code"], transfer["payment_id"]) == ("refund", bought.id)
    row = rows(app, "refunds")[refund["id"]]
    assert (row["status"], row["credits_taken"], row["amount"]) == ("succeeded", 1100, 1000)
    assert states(app)[f"refund_made:{refund['id']}"] == "waiting"


def test_partial_refunds_take_their_part_and_the_last_one_the_rest(app: Flask) -> None:
    bought = a_paid_top_up(app, credits=1100)
    balances = []
    for amount in (333, 333, 334):
        hears(app, refunded(a_refund(bought, amount)))
        balances.append(books.balance(app, bought.customer.id))
    assert balances == [734, 368, 0]  # 366.3, 732.6 and 1,100 are back
    assert payment_of(app, bought.id)["amount_refunded"] == 1000


def test_what_is_spent_becomes_a_debt_that_the_next_credits_pay(app: Flask) -> None:
    bought = a_paid_top_up(app)
    with app.app_context(), transaction() as session:
        ledger.spend(session, bought.customer.id, 900, id="spent")
    hears(app, refunded(a_refund(bought)))
    assert books.balance(app, bought.customer.id) == -900
    a_paid_top_up(app, bought.customer)
    assert books.balance(app, bought.customer.id) == 100


def test_repeated_events_take_once(app: Flask) -> None:
    bought = a_paid_top_up(app)
    refund = a_refund(bought, 250)
    created = refunded(refund)
    hears(app, created, created, refunded(refund), refunded(refund, "succeeded"))
    assert moved_by(app, bought.customer.id) == [("refund", -250)]


def test_a_pending_refund_takes_and_its_success_takes_nothing_more(app: Flask) -> None:
    bought = a_paid_top_up(app)
    refund = a_refund(bought, 400, "pending")
    hears(app, refunded(refund))
    assert books.balance(app, bought.customer.id) == 600
    hears(app, refunded(refund, "succeeded"))
    assert moved_by(app, bought.customer.id) == [("refund", -400)]


def test_a_refund_that_waits_for_the_customer_takes_nothing_yet(app: Flask) -> None:
    bought = a_paid_top_up(app)
    refund = a_refund(bought, 400, "requires_action")
    hears(app, refunded(refund))
    assert books.balance(app, bought.customer.id) == 1000
    hears(app, refunded(refund, "canceled"))
    assert moved_by(app, bought.customer.id) == []
    assert rows(app, "refunds")[refund["id"]]["status"] == "canceled"
    assert "refund_made:" not in " ".join(states(app))


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_a_refund_that_comes_back_returns_the_credits(app: Flask, end: str) -> None:
    """Even after it had succeeded, up to 30 days later."""
    bought = a_paid_top_up(app)
    refund = a_refund(bought, 400)
    hears(app, refunded(refund), refunded(refund, end))
    assert moved_by(app, bought.customer.id) == [("refund", -400), ("refund_reversed", 400)]
    assert payment_of(app, bought.id)["amount_refunded"] == 0
    row = rows(app, "refunds")[refund["id"]]
    assert (row["credits_taken"], row["credits_returned"], row["status"]) == (400, 400, end)
    assert f"mail_refund_failed:{refund['id']}" in states(app)
    hears(app, refunded(refund, "succeeded"), refunded(refund, end))
    assert books.balance(app, bought.customer.id) == 1000, "the end is the end"


def test_of_two_refunds_the_one_that_fails_returns_its_part(app: Flask) -> None:
    bought = a_paid_top_up(app, credits=100, amount=1000)
    first, second = a_refund(bought, 335), a_refund(bought, 665)
    hears(app, refunded(first), refunded(second), refunded(first, "failed"))
    assert books.balance(app, bought.customer.id) == 100 - 66
    hears(app, refunded(second, "failed"))
    assert books.balance(app, bought.customer.id) == 100


def test_a_refund_before_the_payment_is_credited_is_a_debt_that_the_credit_pays(app: Flask) -> None:
    bought = a_payment(app)
    hears(app, refunded(a_refund(bought, 300)))
    assert books.balance(app, bought.customer.id) == -300
    hears(app, paid(bought))
    assert books.balance(app, bought.customer.id) == 700
    assert payment_of(app, bought.id)["status"] == "succeeded"


def test_another_currency_is_parked_and_takes_nothing(app: Flask) -> None:
    bought = a_paid_top_up(app)
    event = refunded(a_refund(bought, currency="eur"))
    assert hears(app, event) == ["parked"]
    assert "is in eur" in books.read(app).events[event["id"]]["last_error"]
    assert books.balance(app, bought.customer.id) == 1000
    assert rows(app, "refunds") == {}


def test_strangers_refunds_are_ignored(app: Flask) -> None:
    foreign = a_refund("pi_foreign", customer="cus_foreign")
    nobodys = a_refund("pi_foreign") | {"payment_intent": None}
    assert hears(app, refunded(foreign), refunded(nobodys)) == ["ignored", "ignored"]
    assert states(app) == {}


def test_what_may_be_ours_is_asked_about(app: Flask) -> None:
    """An unknown payment of a customer of ours, or of we do not know whom."""
    ada = a_user(app)
    for refund in (a_refund("pi_1", customer=ada.stripe_id), a_refund("pi_2", customer=None)):
        event = refunded(refund)
        assert hears(app, event) == ["handled"]
        assert f"sync_reversals:{refund['payment_intent']}:{event['id']}" in states(app)
    assert rows(app, "refunds") == {}


def test_a_charge_tells_of_refunds_that_we_missed(app: Flask) -> None:
    bought = a_paid_top_up(app)
    hears(app, refunded(a_refund(bought, 300)))
    known, more = a_refunded_charge(bought, 300), a_refunded_charge(bought, 500)
    assert hears(app, known, more) == ["handled", "handled"]
    asked = [key for key in states(app) if key.startswith("sync_reversals:")]
    assert asked == [f"sync_reversals:{bought.intent_id}:{more['id']}"]


def test_a_one_time_plan_is_kept_until_all_is_refunded(app: Flask) -> None:
    visit = a_checkout(app)
    hears(app, completed(visit))

    def owned() -> int:
        with app.app_context():
            return checkouts.owned(db.session(), visit.customer.id, "standard_pack")

    first, rest = a_refund(visit.intent_id, 1000), a_refund(visit.intent_id, 1900)
    hears(app, refunded(first))
    assert (owned(), books.balance(app, visit.customer.id)) == (1, 3000 - 1034)
    hears(app, refunded(rest))
    assert (owned(), books.balance(app, visit.customer.id)) == (0, 0)
    hears(app, refunded(rest, "failed"))
    assert (owned(), books.balance(app, visit.customer.id)) == (1, 3000 - 1034)


def test_a_discounted_purchase_is_refunded_in_proportion_to_what_was_paid(app: Flask) -> None:
    visit = a_checkout(app)
    hears(app, completed(visit, amount_total=1450))
    hears(app, refunded(a_refund(visit.intent_id, 725)))
    assert books.balance(app, visit.customer.id) == 1500


@pytest.mark.parametrize("wrong", [{"amount": "10"}, {"currency": None}, {"object": "charge"}])
def test_what_cannot_be_read_is_parked(app: Flask, wrong: dict[str, object]) -> None:
    bought = a_paid_top_up(app)
    assert hears(app, an_event(a_refund(bought, **wrong), "refund.created")) == ["parked"]
    assert books.balance(app, bought.customer.id) == 1000
