"""What events do: rules 1, 2 and 4 of the design, told over HTTP with real signatures."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.db import db, utcnow
from storefront.jobs import Job
from storefront.ledger import hot_path
from tests.support import books
from tests.support.builders import (
    Json,
    Purchase,
    a_payment,
    a_user,
    an_event,
    an_intent,
    declined,
    deliver,
    moved,
    paid,
)


def status_of(app: Flask, purchase: Purchase) -> str:
    status: str = books.read(app).payments[purchase.id]["status"]
    return status


def credited(app: Flask, purchase: Purchase) -> int:
    """What this purchase brought: its transfer's credits; 0 without one."""
    row = books.read(app).transfers.get(f"payment:{purchase.id}")
    return row["credits"] if row else 0


def test_a_paid_purchase_is_credited(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app, amount=1000, credits=1200)
    event = paid(purchase, created=1_770_000_000)
    response = deliver(client, event)
    assert (response.status_code, response.json) == (200, {"received": True})
    after = books.read(app)
    payment, transfer = after.payments[purchase.id], after.transfers[f"payment:{purchase.id}"]
    assert (payment["status"], payment["amount_received"]) == ("succeeded", 1000)
    assert (transfer["code"], transfer["source"], transfer["credits"]) == ("top_up", "sales", 1200)
    assert str(transfer["happened_at"]).startswith("2026-02-02 02:40:00")
    assert after.balance(purchase.customer.id) == 1200
    assert after.event_states() == {event["id"]: "handled"}
    books.assert_clean(app)


def test_the_event_is_kept_as_it_was_received(app: Flask, client: FlaskClient) -> None:
    body = b'{"object":"event", "id":"evt_1","type":"x.y" ,\n"livemode":false,"created":7,' + (
        '"data":{"object":{"é":"\\u0000"}}}'.encode()
    )
    assert deliver(client, body).status_code == 200
    row = books.read(app).events["evt_1"]
    assert row["payload"].encode() == body
    assert (row["type"], row["api_version"], row["attempts"]) == ("x.y", None, 1)


def test_a_repeated_event_credits_once(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    for _ in range(5):
        assert deliver(client, event).status_code == 200
    after = books.read(app)
    assert after.balance(purchase.customer.id) == 1000
    assert len(after.transfers) == 1
    assert after.events[event["id"]]["attempts"] == 1


def test_two_events_for_one_intent_credit_once(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    events = [paid(purchase), paid(purchase)]
    for event in events:
        assert deliver(client, event).status_code == 200
    after = books.read(app)
    assert after.balance(purchase.customer.id) == 1000
    assert after.event_states() == {event["id"]: "handled" for event in events}


def test_a_success_before_our_row_knows_its_intent_finds_it(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app, linked=False)
    for _ in range(2):
        assert deliver(client, paid(purchase)).status_code == 200
    after = books.read(app)
    assert after.payments[purchase.id]["stripe_intent_id"] == purchase.intent_id
    assert after.balance(purchase.customer.id) == 1000
    books.assert_clean(app)


def test_a_failure_before_our_row_knows_its_intent_links_it(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app, linked=False)
    deliver(client, declined(purchase))
    row = books.read(app).payments[purchase.id]
    assert (row["stripe_intent_id"], row["failure_code"]) == (purchase.intent_id, "generic_decline")


@pytest.mark.parametrize("late", ["declined", "processing", "requires_action", "canceled"])
def test_nothing_undoes_a_success(app: Flask, client: FlaskClient, late: str) -> None:
    purchase = a_payment(app)
    deliver(client, paid(purchase))
    event = declined(purchase) if late == "declined" else moved(purchase, late)
    before = books.read(app)
    assert deliver(client, event).status_code == 200
    after = books.read(app)
    assert after.payments[purchase.id]["status"] == "succeeded"
    assert after.payments[purchase.id]["failure_code"] is None
    assert after.transfers == before.transfers
    assert after.event_states()[event["id"]] == "handled"


@pytest.mark.parametrize(
    "before", ["opened", "requires_action", "requires_confirmation", "processing", "canceled"]
)
def test_a_success_counts_in_whatever_state_the_payment_was(
    app: Flask, client: FlaskClient, before: str
) -> None:
    purchase = a_payment(app, status=before)
    deliver(client, paid(purchase))
    assert (status_of(app, purchase), credited(app, purchase)) == ("succeeded", 1000)


@pytest.mark.parametrize("status", ["processing", "requires_action", "canceled"])
def test_other_events_move_the_payment_and_credit_nothing(
    app: Flask, client: FlaskClient, status: str
) -> None:
    purchase = a_payment(app)
    event = moved(purchase, status)
    assert deliver(client, event).status_code == 200
    assert status_of(app, purchase) == status
    assert books.read(app).transfers == {}
    assert books.read(app).event_states() == {event["id"]: "handled"}


def test_a_decline_keeps_its_reason_and_a_success_after_it_forgets_it(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    deliver(client, declined(purchase, "insufficient_funds"))
    row = books.read(app).payments[purchase.id]
    assert (row["status"], row["failure_code"], row["failure_message"]) == (
        "requires_payment_method",
        "insufficient_funds",
        "Declined: insufficient_funds",
    )
    deliver(client, paid(purchase))
    row = books.read(app).payments[purchase.id]
    assert (row["status"], row["failure_code"], row["failure_message"]) == ("succeeded", None, None)
    assert credited(app, purchase) == 1000


def test_an_expanded_customer_is_the_same_customer(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    expanded = {"id": purchase.customer.stripe_id, "object": "customer"}
    deliver(client, an_event(an_intent(purchase, customer=expanded)))
    assert credited(app, purchase) == 1000


MISMATCHES: dict[str, Json] = {
    "less received": {"amount_received": 999},
    "more received": {"amount_received": 1001},
    "nothing received": {"amount_received": 0},
    "another amount": {"amount": 5000, "amount_received": 5000},
    "another currency": {"currency": "jpy"},
    "currency in capitals": {"currency": "USD"},
    "another customer": {"customer": "cus_another"},
    "no customer": {"customer": None},
    "another status": {"status": "requires_capture"},
}


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "unlinked"])
@pytest.mark.parametrize("changes", MISMATCHES.values(), ids=MISMATCHES)
def test_a_success_that_contradicts_our_row_is_parked_and_credits_nothing(
    app: Flask, client: FlaskClient, changes: Json, linked: bool
) -> None:
    purchase = a_payment(app, linked=linked)
    event = an_event(an_intent(purchase, **changes))
    before = books.read(app)
    for _ in range(2):
        assert deliver(client, event).status_code == 200
    after = books.read(app)
    row = after.events[event["id"]]
    assert (row["state"], row["attempts"]) == ("parked", 1)
    assert purchase.intent_id in row["last_error"]
    assert (after.payments, after.transfers) == (before.payments, before.transfers)
    assert deliver(client, paid(purchase)).status_code == 200, "the true event is still welcome"
    assert credited(app, purchase) == 1000


def test_an_unpaid_event_that_contradicts_our_row_changes_nothing(
    app: Flask, client: FlaskClient
) -> None:
    """No money came in, so nobody needs to look: an intent that was given up for another one."""
    purchase = a_payment(app)
    event = an_event(an_intent(purchase, "processing", amount=1), "payment_intent.processing")
    assert deliver(client, event).status_code == 200
    assert books.read(app).event_states() == {event["id"]: "ignored"}
    assert status_of(app, purchase) == "requires_payment_method"


def test_another_users_payment_in_the_metadata_credits_nobody(
    app: Flask, client: FlaskClient
) -> None:
    """Somebody with a hand in metadata names a victim's, or an accomplice's, payment."""
    theirs, mine = a_payment(app, linked=False), a_payment(app, linked=False)
    event = an_event(an_intent(mine, metadata={"payment_id": theirs.id}))
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert books.read(app).transfers == {}


def test_a_second_intent_for_a_payment_that_has_one_is_parked(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = an_event(an_intent(purchase, id="pi_another"))
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert credited(app, purchase) == 0


def test_a_payment_that_is_unknown_here_is_parked(app: Flask, client: FlaskClient) -> None:
    event = an_event(an_intent(a_payment(app), id="pi_x", metadata={"payment_id": "pay_unknown"}))
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert "pay_unknown is unknown here" in books.read(app).events[event["id"]]["last_error"]


def test_a_customer_that_we_never_linked_is_credited_nothing(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app, a_user(app, stripe_id=None))
    event = an_event(an_intent(purchase, customer="cus_somebody"))
    deliver(client, event)
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert credited(app, purchase) == 0


@pytest.mark.parametrize("metadata", [{}, {"user_id": "usr_x"}, {"payment_id": ""}, None], ids=str)
def test_an_intent_that_is_not_ours_is_ignored(
    app: Flask, client: FlaskClient, metadata: Any
) -> None:
    event = an_event(an_intent(a_payment(app), id="pi_of_another_shop", metadata=metadata))
    assert deliver(client, event).status_code == 200
    assert books.read(app).event_states() == {event["id"]: "ignored"}
    assert books.read(app).transfers == {}


def test_an_unknown_type_is_recorded_as_ignored(app: Flask, client: FlaskClient) -> None:
    event = an_event({"object": "radar.early_fraud_warning"}, "issuing_card.created")
    for _ in range(2):
        assert deliver(client, event).status_code == 200
    assert books.read(app).event_states() == {event["id"]: "ignored"}


def test_a_handled_id_with_other_content_has_no_effect(app: Flask, client: FlaskClient) -> None:
    first, second = a_payment(app), a_payment(app)
    event = paid(first)
    deliver(client, event)
    assert deliver(client, paid(second, id=event["id"])).status_code == 200
    assert (credited(app, first), credited(app, second)) == (1000, 0)


def test_each_of_several_purchases_is_credited(app: Flask, client: FlaskClient) -> None:
    customer = a_user(app)
    purchases = [a_payment(app, customer, credits=n) for n in (1, 20, 300)]
    for purchase in reversed(purchases):
        deliver(client, paid(purchase))
    assert books.balance(app, customer.id) == 321
    books.assert_clean(app)


def test_what_a_webhook_promises_is_due_at_once_whatever_this_machines_clock_says(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_path, "utcnow", lambda: utcnow() + timedelta(minutes=10))
    assert deliver(client, paid(a_payment(app))).status_code == 200
    with app.app_context():
        [due] = db.session.scalars(db.select(Job.run_at)).all()
    assert due < utcnow() + timedelta(minutes=1)
