"""What Checkout's events do: a one-time plan is bought once, a subscription is noted and fetched,
and whatever does not fit our own row brings nothing."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import books
from tests.support.builders import Json, a_user, an_event, deliver
from tests.support.checkouts import (
    Visit,
    a_checkout,
    a_session,
    completed,
    expired,
    failed_late,
    paid_late,
    row_of,
    rows,
)


def purchase_of(app: Flask, visit: Visit) -> dict[str, Any] | None:
    return books.read(app).payments.get(visit.payment_id)


def jobs_of(app: Flask) -> dict[str, str]:
    return {key: job["kind"] for key, job in rows(app, "jobs", "key").items()}


def test_a_paid_one_time_plan_becomes_a_purchase_with_its_credits(
    app: Flask, client: FlaskClient
) -> None:
    visit = a_checkout(app)
    event = completed(visit, amount_total=2320) | {"created": 1_770_000_000}
    assert deliver(client, event).status_code == 200
    after = books.read(app)
    payment = after.payments[visit.payment_id]
    assert (payment["kind"], payment["pack_or_plan"]) == ("purchase", "standard_pack")
    assert (payment["status"], payment["credits"], payment["quantity"]) == ("succeeded", 3000, 1)
    assert (payment["amount_cents"], payment["amount_received"]) == (2900, 2320), "a discount"
    assert payment["stripe_intent_id"] == visit.intent_id
    assert payment["checkout_session_id"] == visit.session_id
    transfer = after.transfers[f"payment:{visit.payment_id}"]
    assert (transfer["code"], transfer["source"]) == ("purchase", "sales")
    assert transfer["payment_id"] == visit.payment_id
    assert str(transfer["happened_at"]).startswith("2026-02-02 02:40:00")
    assert after.balance(visit.customer.id) == 3000
    row = row_of(app, visit)
    assert (row["status"], row["payment_status"]) == ("complete", "paid")
    assert row["payment_id"] == visit.payment_id
    assert after.event_states() == {event["id"]: "handled"}
    assert jobs_of(app) == {
        f"payment_settled:{visit.payment_id}": "payment_settled",
        f"expire_checkouts:{visit.id}": "expire_checkouts",
    }
    books.assert_clean(app)


def test_a_repeat_and_a_second_event_buy_nothing_more(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app)
    event = completed(visit)
    for each in (event, event, completed(visit), paid_late(visit)):
        assert deliver(client, each).status_code == 200
    after = books.read(app)
    assert len(after.payments) == len(after.transfers) == 1
    assert after.balance(visit.customer.id) == 3000


def test_a_plan_without_credits_moves_none_and_is_bought_all_the_same(
    app: Flask, client: FlaskClient
) -> None:
    visit = a_checkout(app, credits=0)
    deliver(client, completed(visit))
    after = books.read(app)
    assert after.payments[visit.payment_id]["status"] == "succeeded"
    assert after.transfers == {}
    assert f"payment_settled:{visit.payment_id}" in jobs_of(app)


def test_a_discount_of_everything_needs_no_payment(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app)
    free = {"amount_total": 0, "payment_intent": None}
    deliver(client, completed(visit, "no_payment_required", **free))
    payment = purchase_of(app, visit)
    assert payment is not None
    assert (payment["status"], payment["amount_received"]) == ("succeeded", 0)
    assert payment["stripe_intent_id"] is None
    assert books.balance(app, visit.customer.id) == 3000


def test_a_slow_bank_is_waited_for(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app)
    deliver(client, completed(visit, "unpaid"))
    payment = purchase_of(app, visit)
    assert payment is not None
    assert (payment["status"], payment["amount_received"]) == ("processing", 0)
    assert books.balance(app, visit.customer.id) == 0
    deliver(client, paid_late(visit))
    payment = purchase_of(app, visit)
    assert payment is not None
    assert (payment["status"], payment["amount_received"]) == ("succeeded", 2900)
    assert books.balance(app, visit.customer.id) == 3000


def test_a_slow_bank_that_does_not_pay_says_so(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app)
    deliver(client, completed(visit, "unpaid"))
    deliver(client, failed_late(visit))
    payment = purchase_of(app, visit)
    assert payment is not None
    assert (payment["status"], payment["failure_code"]) == ("canceled", "async_payment_failed")
    assert payment["failure_message"] == "Your bank did not make the payment."
    assert books.read(app).transfers == {}
    assert f"payment_settled:{visit.payment_id}" not in jobs_of(app)


def test_an_expired_session_closes_its_checkout(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app)
    deliver(client, expired(visit))
    assert row_of(app, visit)["status"] == "expired"
    assert books.read(app).payments == {}
    assert jobs_of(app) == {}


def test_a_session_before_our_row_knows_it_is_found_by_metadata(
    app: Flask, client: FlaskClient
) -> None:
    visit = a_checkout(app, linked=False)
    deliver(client, completed(visit))
    assert row_of(app, visit)["stripe_session_id"] == visit.session_id
    assert books.balance(app, visit.customer.id) == 3000


def test_a_subscription_is_noted_and_fetched_by_jobs(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app, plan="premium_plan", interval="monthly", amount=4900)
    deliver(client, completed(visit))
    row = row_of(app, visit)
    assert (row["status"], row["stripe_subscription_id"]) == ("complete", visit.subscription_id)
    assert books.read(app).payments == {}, "its invoices say what was paid"
    kinds = sorted(jobs_of(app).values())
    assert kinds == ["expire_checkouts", "sync_invoices", "sync_subscription"]


def test_a_trial_has_no_amount_and_is_noted(app: Flask, client: FlaskClient) -> None:
    visit = a_checkout(app, plan="premium_plan", interval="monthly", amount=4900)
    nothing = {"amount_subtotal": 0, "amount_total": 0}
    deliver(client, completed(visit, "no_payment_required", **nothing))
    assert row_of(app, visit)["status"] == "complete"


def test_a_session_that_is_nobodys_is_ignored(app: Flask, client: FlaskClient) -> None:
    visit = Visit("chk_x", a_user(app), "cs_test_x")
    foreign = completed(visit, metadata={})
    assert deliver(client, foreign).status_code == 200
    assert books.read(app).event_states() == {foreign["id"]: "ignored"}


WRONG: dict[str, Json] = {
    "somebody else's customer": {"customer": "cus_of_somebody_else"},
    "no customer": {"customer": None},
    "another amount": {"amount_subtotal": 100, "amount_total": 100},
    "no amount": {"amount_subtotal": None},
    "another currency": {"currency": "jpy"},
    "another mode": {"mode": "subscription"},
    "somebody else's reference": {"client_reference_id": "usr_of_somebody_else"},
    "paid, and nobody knows how much": {"amount_total": None},
}


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_a_session_that_contradicts_our_row_is_parked_and_buys_nothing(
    app: Flask, client: FlaskClient, change: Json, linked: bool
) -> None:
    visit = a_checkout(app, linked=linked)
    before = row_of(app, visit)
    event = completed(visit, **change)
    assert deliver(client, event).status_code == 200
    after = books.read(app)
    assert after.event_states() == {event["id"]: "parked"}
    assert (after.payments, after.transfers, jobs_of(app)) == ({}, {}, {})
    assert row_of(app, visit) == before


def test_metadata_that_names_somebody_elses_checkout_buys_nothing(
    app: Flask, client: FlaskClient
) -> None:
    """Another session of a customer of ours, made by hand with the id of a stranger's checkout."""
    mine, theirs = a_checkout(app, linked=False), a_checkout(app)
    named = {"id": theirs.id, "checkout_id": theirs.id}
    event = completed(mine, metadata=named)
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert books.read(app).payments == {}
    assert row_of(app, theirs)["status"] == "open"


def test_a_second_session_for_a_checkout_that_has_one_is_parked(
    app: Flask, client: FlaskClient
) -> None:
    visit = a_checkout(app)
    event = completed(visit, id="cs_test_another")
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert books.read(app).payments == {}


def test_an_unknown_checkout_of_ours_is_parked(app: Flask, client: FlaskClient) -> None:
    event = completed(Visit("chk_lost", a_user(app), "cs_test_lost"))
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}


@pytest.mark.parametrize(
    ("type", "status", "payment_status"),
    [
        ("checkout.session.completed", "open", "unpaid"),
        ("checkout.session.expired", "complete", "paid"),
        ("checkout.session.async_payment_succeeded", "complete", "unpaid"),
        ("checkout.session.async_payment_failed", "complete", "paid"),
    ],
)
def test_an_event_that_contradicts_its_own_session_is_parked(
    app: Flask, client: FlaskClient, type: str, status: str, payment_status: str
) -> None:
    event = an_event(a_session(a_checkout(app), status, payment_status), type)
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert books.read(app).payments == {}


def test_a_customer_deleted_at_stripe_has_still_bought_what_was_paid(
    app: Flask, client: FlaskClient
) -> None:
    visit = a_checkout(app)
    gone = {"id": visit.customer.stripe_id, "object": "customer", "deleted": True}
    deliver(client, an_event(gone, "customer.deleted"))
    deliver(client, completed(visit))
    assert books.balance(app, visit.customer.id) == 3000


def test_the_intent_of_a_purchase_is_not_settled_as_a_top_up(
    app: Flask, client: FlaskClient
) -> None:
    """Before and after the session's own event, by the hot path and by the long way."""
    visit = a_checkout(app)
    intent = {
        "id": visit.intent_id,
        "object": "payment_intent",
        "amount": visit.amount,
        "amount_received": visit.amount,
        "currency": "usd",
        "customer": visit.customer.stripe_id,
        "last_payment_error": None,
        "metadata": {"checkout_id": visit.id, "user_id": visit.customer.id},
        "status": "succeeded",
    }
    failed = intent | {"status": "requires_payment_method", "amount_received": 0}
    events = [
        an_event(intent, "payment_intent.succeeded"),
        completed(visit),
        an_event(intent, "payment_intent.succeeded"),
        an_event(failed, "payment_intent.payment_failed"),
    ]
    for event in events:
        assert deliver(client, event).status_code == 200
    states = books.read(app).event_states()
    assert [states[it["id"]] for it in events] == ["ignored", "handled", "ignored", "ignored"]
    payment = purchase_of(app, visit)
    assert payment is not None
    assert payment["status"] == "succeeded"
    assert books.balance(app, visit.customer.id) == 3000
    books.assert_clean(app)
