"""Disputes of payments: only money that moved moves credits."""

from collections.abc import Iterator

import pytest
from flask import Flask

from storefront import reversals
from storefront.db import db, transaction
from storefront.stripe_gateway import DisputeFacts
from tests.support import books
from tests.support.builders import Json, an_event
from tests.support.money_back import (
    a_dispute,
    a_paid_top_up,
    a_refund,
    a_warning,
    disputed,
    hears,
    moved_by,
    moved_money,
    refunded,
    rows,
)
from tests.support.promised import states


@pytest.fixture(autouse=True)
def books_are_clean_afterwards(app: Flask) -> Iterator[None]:
    yield
    books.assert_clean(app)


def test_a_lost_dispute_keeps_what_its_withdrawal_took(app: Flask) -> None:
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    hears(app, disputed(dispute, "created"))
    assert books.balance(app, bought.customer.id) == 1000, "nothing moves by being told"
    hears(app, disputed(dispute, "funds_withdrawn"))
    assert books.balance(app, bought.customer.id) == 0
    hears(app, disputed(dispute, "closed", status="lost"))
    assert moved_by(app, bought.customer.id) == [("dispute", -1000)]
    row = rows(app, "disputes")[dispute["id"]]
    assert (row["status"], row["withdrawn"], row["reinstated"]) == ("lost", 1000, 0)
    assert row["closed_at"] is not None
    assert f"mail_dispute:{dispute['id']}" in states(app)


def test_a_won_dispute_gives_everything_back(app: Flask) -> None:
    bought = a_paid_top_up(app, credits=1100)
    dispute = a_dispute(bought)
    hears(
        app,
        disputed(dispute, "created"),
        disputed(dispute, "funds_withdrawn"),
        disputed(dispute, "updated", status="under_review"),
        disputed(dispute, "closed", status="won"),
        disputed(dispute, "funds_reinstated", status="won"),
    )
    assert moved_by(app, bought.customer.id) == [("dispute", -1100), ("dispute_reversed", 1100)]
    assert books.read(app).payments[bought.id]["amount_disputed"] == 0
    assert rows(app, "disputes")[dispute["id"]]["status"] == "won"


def test_an_inquiry_moves_nothing(app: Flask) -> None:
    bought = a_paid_top_up(app)
    inquiry = a_dispute(bought, status="warning_needs_response")
    hears(
        app,
        disputed(inquiry, "created"),
        disputed(inquiry, "updated", status="warning_under_review"),
        disputed(inquiry, "closed", status="warning_closed"),
    )
    assert moved_by(app, bought.customer.id) == []
    assert rows(app, "disputes")[inquiry["id"]]["status"] == "warning_closed"
    assert not [key for key in states(app) if key.startswith("mail_")]


def test_an_inquiry_that_becomes_a_chargeback_takes_its_money_then(app: Flask) -> None:
    bought = a_paid_top_up(app)
    inquiry = a_dispute(bought, status="warning_needs_response")
    hears(app, disputed(inquiry, "created"), disputed(inquiry, "updated", status="needs_response"))
    assert books.balance(app, bought.customer.id) == 1000
    hears(app, disputed(inquiry, "funds_withdrawn", status="needs_response"))
    assert books.balance(app, bought.customer.id) == 0


def test_a_part_of_the_money_gives_a_part_of_the_credits_back(app: Flask) -> None:
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    back = disputed(
        dispute, "funds_reinstated", balance_transactions=moved_money(-1000, 400), status="won"
    )
    hears(app, disputed(dispute, "funds_withdrawn"), back)
    assert moved_by(app, bought.customer.id) == [("dispute", -1000), ("dispute_reversed", 400)]


def test_money_in_the_accounts_own_currency_counts_as_all_of_it(app: Flask) -> None:
    """It moved at the rates of two days, so it is not the same amount twice."""
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    moved = moved_money(-930, 911, currency="eur")
    back = disputed(dispute, "funds_reinstated", balance_transactions=moved, status="won")
    hears(app, disputed(dispute, "funds_withdrawn"), back)
    assert books.balance(app, bought.customer.id) == 1000


def test_a_dispute_for_more_than_the_payment_takes_no_more_than_it_brought(app: Flask) -> None:
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought, 1200)
    hears(app, disputed(dispute, "funds_withdrawn"))
    assert books.balance(app, bought.customer.id) == 0
    hears(app, disputed(dispute, "funds_reinstated"))
    assert books.balance(app, bought.customer.id) == 1000


def test_a_dispute_of_a_partly_refunded_payment_takes_the_rest(app: Flask) -> None:
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought, 600)
    hears(app, refunded(a_refund(bought, 400)), disputed(dispute, "funds_withdrawn"))
    assert moved_by(app, bought.customer.id) == [("refund", -400), ("dispute", -600)]
    hears(app, disputed(dispute, "funds_reinstated", status="won"))
    assert books.balance(app, bought.customer.id) == 600


def test_refund_and_dispute_of_the_same_money_take_it_once(app: Flask) -> None:
    """A pending refund that the chargeback overtakes fails; what it took then is the dispute's."""
    bought = a_paid_top_up(app)
    refund, dispute = a_refund(bought, status="pending"), a_dispute(bought)
    hears(app, refunded(refund), disputed(dispute, "funds_withdrawn"))
    assert books.balance(app, bought.customer.id) == 0
    hears(app, refunded(refund, "failed"))
    assert books.balance(app, bought.customer.id) == 0
    hears(app, disputed(dispute, "funds_reinstated", status="won"))
    assert moved_by(app, bought.customer.id) == [("refund", -1000), ("dispute_reversed", 1000)]


def test_the_status_only_goes_forward(app: Flask) -> None:
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    hears(
        app,
        disputed(dispute, "closed", status="lost"),
        disputed(dispute, "updated", status="under_review"),
        disputed(dispute, "created"),
    )
    assert rows(app, "disputes")[dispute["id"]]["status"] == "lost"
    hears(app, disputed(dispute, "updated", status="appeal_under_review"))
    row = rows(app, "disputes")[dispute["id"]]
    assert (row["status"], row["closed_at"]) == ("appeal_under_review", None)


def test_the_end_of_a_dispute_is_looked_up(app: Flask) -> None:
    """Only Stripe can tell whether lost is from before an appeal or after it."""
    bought = a_paid_top_up(app)
    event = disputed(a_dispute(bought), "closed", status="lost")
    hears(app, event)
    assert f"sync_reversals:{bought.intent_id}:{event['id']}" in states(app)


def test_stripes_word_counts_when_it_is_asked(app: Flask) -> None:
    """How an appeal ended, and what has moved: its balance transactions say so."""
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    hears(app, *(disputed(dispute, "updated", status=it) for it in ("lost", "appeal_under_review")))
    asked(app, dispute | {"status": "lost", "balance_transactions": moved_money(-1000)})
    row = rows(app, "disputes")[dispute["id"]]
    assert (row["status"], row["withdrawn"], row["reinstated"]) == ("lost", 1000, 0)
    assert books.balance(app, bought.customer.id) == 0
    asked(app, dispute | {"status": "won", "balance_transactions": moved_money(-1000, 1000)})
    assert books.balance(app, bought.customer.id) == 1000
    asked(app, dispute | {"status": "under_review"})
    assert rows(app, "disputes")[dispute["id"]]["status"] == "won", "an answer that was late"


def asked(app: Flask, dispute: Json) -> None:
    """Apply what Stripe answered, as reversals.sync() does."""
    with app.app_context(), transaction() as session:
        reversals.apply_dispute(session, DisputeFacts.from_dict(dispute), asked=True)


def test_operators_find_what_is_open_and_what_issuers_suspect(app: Flask) -> None:
    bought = a_paid_top_up(app)
    unsettled, settled = a_dispute(bought), a_dispute(bought, status="warning_needs_response")
    warning = a_warning(bought)
    hears(
        app,
        disputed(unsettled, "created"),
        disputed(settled, "closed", status="warning_closed"),
        an_event(warning, "radar.early_fraud_warning.created"),
    )
    with app.app_context():
        found = reversals.open_disputes(db.session())
        assert [it.id for it in found] == [unsettled["id"]]
        suspected = reversals.fraud_warnings(db.session())
        assert [(it.id, it.payment_id, it.actionable) for it in suspected] == [
            (warning["id"], bought.id, True)
        ]
    assert books.balance(app, bought.customer.id) == 1000, "a warning moves nothing"
    past = an_event(warning | {"actionable": False}, "radar.early_fraud_warning.updated")
    late = an_event(warning, "radar.early_fraud_warning.created")
    assert hears(app, past, late) == ["handled", "handled"]
    assert not rows(app, "fraud_warnings")[warning["id"]]["actionable"]


def test_what_is_unknown_here_is_asked_about(app: Flask) -> None:
    dispute = disputed(a_dispute("pi_unknown"), "created")
    warning = an_event(a_warning("pi_unknown"), "radar.early_fraud_warning.created")
    assert hears(app, dispute, warning) == ["handled", "handled"]
    asked = {f"sync_reversals:pi_unknown:{event['id']}" for event in (dispute, warning)}
    assert set(states(app)) == asked
    assert hears(app, disputed(a_dispute("pi") | {"payment_intent": None}, "created")) == [
        "ignored"
    ]
