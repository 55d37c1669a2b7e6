"""What a Dashboard, a bank or an issuer does with a payment, over `/_control`."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from tests.fakestripe.builders import paid, payment_intent
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]


def post(fake: FakeStripe, path: str, json: JSON) -> requests.Response:
    return requests.post(f"{fake.url}/_control/{path}", json=json, timeout=30)


def payment(fake: FakeStripe, intent: Any) -> JSON:
    """The payment as the page lists it."""
    found: list[JSON] = fake.control("payments")["data"]
    return next(it for it in found if it["charge"]["id"] == intent.latest_charge)


@pytest.mark.parametrize("by", ["payment intent", "charge"])
def test_a_payment_is_refunded_by_hand(fakestripe: FakeStripe, by: str) -> None:
    client = fakestripe.client()
    intent = paid(client)
    id = intent.id if by == "payment intent" else intent.latest_charge
    part = fakestripe.control(f"payments/{id}/refund", {"amount": 250, "reason": "duplicate"})
    assert (part["amount"], part["status"], part["reason"]) == (250, "succeeded", "duplicate")
    rest = fakestripe.control(f"payments/{id}/refund", {})
    assert rest["amount"] == 750
    shown = payment(fakestripe, intent)
    assert [it["id"] for it in shown["refunds"]] == [rest["id"], part["id"]]
    assert (shown["refundable"], shown["charge"]["refunded"]) == (False, True)


def test_an_event_made_by_hand_names_no_request(alone: FakeStripe) -> None:
    alone.control(f"payments/{paid(alone.client()).id}/refund", {})
    [event] = alone.events("refund.created")
    assert event["request"] == {"id": None, "idempotency_key": None}


def test_a_refund_goes_as_its_course_says(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    course = f"payments/{intent.id}/refund"
    pending = alone.control(course, {"amount": 100, "course": "pending"})
    failing = alone.control(course, {"amount": 200, "course": "fails"})
    assert (pending["status"], failing["status"]) == ("pending", "succeeded")
    alone.advance(200)
    assert client.v1.refunds.retrieve(pending["id"]).status == "succeeded"
    assert client.v1.refunds.retrieve(failing["id"]).status == "failed"
    assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 100


def test_a_pending_refund_is_settled_by_hand(alone: FakeStripe) -> None:
    client = alone.client()
    made = [
        client.v1.refunds.create({"payment_intent": paid(client, "pm_card_pendingRefund").id}).id
        for _ in range(2)
    ]
    alone.control(f"refunds/{made[0]}", {"status": "succeeded"})
    failed = alone.control(f"refunds/{made[1]}", {"status": "failed", "failure_reason": "declined"})
    assert (failed["status"], failed["failure_reason"]) == ("failed", "declined")
    alone.advance(200)
    assert [client.v1.refunds.retrieve(id).status for id in made] == ["succeeded", "failed"]
    assert len(alone.events("refund.failed")) == 1
    alone.control(f"refunds/{made[0]}", {"status": "failed"})
    assert client.v1.refunds.retrieve(made[0]).status == "failed"


def test_a_chargeback_is_opened_and_decided(alone: FakeStripe) -> None:
    intent = paid(alone.client())
    part = {"reason": "product_unacceptable", "amount": 600}
    opened = alone.control(f"payments/{intent.id}/dispute", part)
    assert (opened["status"], opened["amount"]) == ("needs_response", 600)
    assert opened["network_reason_code"] == "13.3"
    assert alone.control(f"disputes/{opened['id']}", {"outcome": "won"})["status"] == "won"
    again = alone.control(f"payments/{intent.id}/dispute", {"amount": 1000})
    assert again["amount"] == 1000
    lost = alone.control(f"disputes/{again['id']}", {"outcome": "lost"})
    assert lost["status"] == "lost"
    assert alone.client().v1.disputes.retrieve(again["id"]).status == "lost"
    assert len(payment(alone, intent)["disputes"]) == 2


def test_an_inquiry_is_closed_or_escalated(alone: FakeStripe) -> None:
    intent = paid(alone.client())
    path = f"payments/{intent.id}/dispute"
    first = alone.control(path, {"inquiry": True})
    assert (first["status"], first["balance_transactions"]) == ("warning_needs_response", [])
    alone.control(f"disputes/{first['id']}", {"outcome": "warning_closed"})
    second = alone.control(path, {"inquiry": True})
    escalated = alone.control(f"disputes/{second['id']}", {"outcome": "escalated"})
    assert escalated["status"] == "needs_response"
    assert len(alone.events("charge.dispute.funds_withdrawn")) == 1


def test_a_debit_can_be_disputed_too(alone: FakeStripe) -> None:
    intent = paid(alone.client(), "pm_usBankAccount_success")
    alone.advance(5)
    opened = alone.control(f"payments/{intent.id}/dispute", {"reason": "debit_not_authorized"})
    assert opened["payment_method_details"] is None
    assert alone.control(f"disputes/{opened['id']}", {"outcome": "lost"})["status"] == "lost"


def test_an_issuer_warns_by_hand(alone: FakeStripe) -> None:
    intent = paid(alone.client())
    path = f"payments/{intent.id}/early_fraud_warning"
    warning = alone.control(path, {"fraud_type": "made_with_stolen_card"})
    assert (warning["actionable"], warning["fraud_type"]) == (True, "made_with_stolen_card")
    [listed] = payment(alone, intent)["early_fraud_warnings"]
    assert listed["id"] == warning["id"]


@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("refund", {"amount": 0}),
        ("refund", {"amount": 1001}),
        ("refund", {"amount": "all"}),
        ("refund", {"course": "explodes"}),
        ("refund", {"course": "requires_action"}),
        ("refund", {"reason": "because"}),
        ("dispute", {"reason": "because"}),
        ("dispute", {"inquiry": "yes"}),
        ("dispute", {"amount": 1001}),
        ("early_fraud_warning", {"fraud_type": "bad"}),
    ],
)
def test_nonsense_is_refused_in_a_sentence(fakestripe: FakeStripe, path: str, json: JSON) -> None:
    intent = paid(fakestripe.client())
    answer = post(fakestripe, f"payments/{intent.id}/{path}", json)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    shown = payment(fakestripe, intent)
    assert (shown["refunds"], shown["disputes"], shown["early_fraud_warnings"]) == ([], [], [])


def test_what_cannot_be_is_refused(alone: FakeStripe) -> None:
    client = alone.client()
    for path in ("payments/pi_x/refund", "payments/ch_x/dispute", "refunds/re_x", "disputes/du_x"):
        assert post(alone, path, {"status": "failed", "outcome": "won"}).status_code == 404
    assert post(alone, f"payments/{payment_intent(client).id}/refund", {}).status_code == 400
    held = paid(client, capture_method="manual")
    assert "took no money" in post(alone, f"payments/{held.id}/dispute", {}).json()["error"]
    intent = paid(client)
    dispute = alone.control(f"payments/{intent.id}/dispute", {})
    again = post(alone, f"payments/{intent.id}/dispute", {})
    assert dispute["id"] in again.json()["error"]
    assert "charged back" in post(alone, f"payments/{intent.id}/refund", {}).json()["error"]
    wrong = post(alone, f"disputes/{dispute['id']}", {"outcome": "warning_closed"})
    assert "its status is needs_response" in wrong.json()["error"]
    assert post(alone, f"disputes/{dispute['id']}", {"outcome": "drawn"}).status_code == 400
    done = client.v1.refunds.create({"payment_intent": paid(client).id})
    settled = post(alone, f"refunds/{done.id}", {"status": "succeeded"})
    assert "its status is succeeded" in settled.json()["error"]


def test_pages_of_other_sites_are_refused(fakestripe: FakeStripe) -> None:
    path = f"{fakestripe.url}/_control/payments/{paid(fakestripe.client()).id}/refund"
    answer = requests.post(path, json={}, headers={"Origin": "https://evil.example"}, timeout=10)
    assert answer.status_code == 403


def test_the_sdk_sees_what_was_done_by_hand(alone: FakeStripe) -> None:
    client: stripe.StripeClient = alone.client()
    intent = paid(client)
    alone.control(f"payments/{intent.id}/refund", {"amount": 100})
    dispute = alone.control(f"payments/{intent.id}/dispute", {})
    assert client.v1.disputes.retrieve(dispute["id"]).amount == 900
    moved = client.v1.balance_transactions.list().data
    assert sorted((it.type, it.amount) for it in moved if it.type != "charge") == [
        ("adjustment", -900),
        ("refund", -100),
    ]
