"""Disputes through the SDK: chargebacks and inquiries, evidence, outcomes, and their money."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe import aftermath
from tests.fakestripe.billing import shop
from tests.fakestripe.builders import card_method, paid
from tests.fakestripe.harness import FakeStripe
from tests.fakestripe.test_refunds import refund, refusal

DAY = 24 * 3600
CHARGEBACK = "pm_card_createDispute"
INQUIRY = "pm_card_createDisputeInquiry"


def disputed(fake: FakeStripe, method: str = CHARGEBACK) -> tuple[Any, stripe.Dispute]:
    """Pay with a card that is disputed; return the intent and the dispute."""
    client = fake.client()
    intent = paid(client, method)
    fake.advance(2)
    [dispute] = client.v1.disputes.list({"payment_intent": intent.id}).data
    return intent, dispute


def told(fake: FakeStripe) -> list[str]:
    return [event["type"] for event in fake.events("charge.dispute.*")]


def answered(fake: FakeStripe, dispute: stripe.Dispute, text: str) -> stripe.Dispute:
    """Send evidence and let the bank decide."""
    client = fake.client()
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    fake.advance(6)
    return client.v1.disputes.retrieve(dispute.id)


def moved(dispute: stripe.Dispute) -> list[tuple[int, int]]:
    return [(it.amount, it.fee) for it in dispute.balance_transactions]


@pytest.mark.parametrize(
    ("number", "reason"),
    [("4000000000000259", "fraudulent"), ("4000000000002685", "product_not_received")],
)
def test_a_chargeback_takes_the_money_at_once(alone: FakeStripe, number: str, reason: str) -> None:
    client = alone.client()
    intent, dispute = disputed(alone, card_method(client, number).id)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 1000)
    assert (dispute.charge, dispute.payment_intent) == (intent.latest_charge, intent.id)
    assert moved(dispute) == [(-1000, 1500)]
    assert not dispute.is_charge_refundable
    assert told(alone) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert client.v1.charges.retrieve(str(intent.latest_charge)).disputed
    [event] = alone.events("charge.dispute.created")
    assert event["data"]["object"]["object"] == "dispute"
    assert event["data"]["object"]["balance_transactions"][0]["net"] == -2500


def test_a_charged_back_payment_cannot_be_refunded(alone: FakeStripe) -> None:
    client = alone.client()
    intent, dispute = disputed(alone)
    code, _, sentence = refusal(lambda: refund(client, intent))
    assert code == "charge_disputed"
    assert sentence.endswith("has been charged back; cannot issue a refund.")
    answered(alone, dispute, "losing_evidence")
    assert refusal(lambda: refund(client, intent))[0] == "charge_disputed"


def test_winning_evidence_brings_the_money_back(alone: FakeStripe) -> None:
    _, dispute = disputed(alone)
    won = answered(alone, dispute, "winning_evidence")
    assert (won.status, won.evidence_details.submission_count) == ("won", 1)
    assert moved(won) == [(-1000, 1500), (1000, 0)]
    assert told(alone)[2:] == [
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    [closed] = alone.events("charge.dispute.closed")
    assert closed["data"]["object"]["status"] == "won"
    assert closed["data"]["previous_attributes"]["status"] == "under_review"


def test_losing_evidence_leaves_it_gone(alone: FakeStripe) -> None:
    _, dispute = disputed(alone)
    lost = answered(alone, dispute, "losing_evidence")
    assert (lost.status, moved(lost)) == ("lost", [(-1000, 1500)])
    assert told(alone)[2:] == ["charge.dispute.updated", "charge.dispute.closed"]


def test_other_evidence_is_not_decided_by_itself(alone: FakeStripe) -> None:
    _, dispute = disputed(alone)
    waiting = answered(alone, dispute, "The customer used 700 of the credits.")
    assert waiting.status == "under_review"
    alone.advance(100 * DAY)
    assert alone.client().v1.disputes.retrieve(dispute.id).status == "under_review"


def test_evidence_can_be_staged_and_sent_later(alone: FakeStripe) -> None:
    client = alone.client()
    _, dispute = disputed(alone)
    evidence: Any = {"uncategorized_text": "winning_evidence"}
    staged = client.v1.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    assert staged.evidence_details.submission_count == 0
    more: Any = {"customer_name": "Jo"}
    sent = client.v1.disputes.update(dispute.id, {"evidence": more})
    assert sent.status == "under_review"
    assert sent.evidence.uncategorized_text == "winning_evidence"
    alone.advance(6)
    assert client.v1.disputes.retrieve(dispute.id).status == "won"


def test_a_dispute_is_accepted(alone: FakeStripe) -> None:
    client = alone.client()
    _, dispute = disputed(alone)
    assert client.v1.disputes.close(dispute.id).status == "lost"
    assert told(alone)[2:] == ["charge.dispute.closed"]
    assert "status of" in refusal(lambda: client.v1.disputes.close(dispute.id))[2]
    evidence: Any = {"evidence": {"uncategorized_text": "winning_evidence"}}
    late = refusal(lambda: client.v1.disputes.update(dispute.id, evidence))
    assert "it is closed" in late[2]


def test_silence_loses(alone: FakeStripe) -> None:
    _, dispute = disputed(alone)
    due = dispute.evidence_details.due_by
    assert due is not None and 8 * DAY < due - dispute.created <= 9 * DAY
    alone.advance(7 * DAY)
    assert alone.client().v1.disputes.retrieve(dispute.id).status == "needs_response"
    alone.advance(2 * DAY)
    assert alone.client().v1.disputes.retrieve(dispute.id).status == "lost"


def test_an_inquiry_moves_nothing(alone: FakeStripe) -> None:
    client = alone.client()
    intent, dispute = disputed(alone, INQUIRY)
    assert (dispute.status, moved(dispute)) == ("warning_needs_response", [])
    assert dispute.is_charge_refundable
    assert told(alone) == ["charge.dispute.created"]
    assert refund(client, intent, amount=100).status == "succeeded"
    alone.advance(121 * DAY)
    assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"
    assert told(alone) == ["charge.dispute.created", "charge.dispute.closed"]


def test_an_inquiry_can_be_let_go(alone: FakeStripe) -> None:
    client = alone.client()
    _, dispute = disputed(alone, INQUIRY)
    assert client.v1.disputes.close(dispute.id).status == "warning_closed"
    assert told(alone) == ["charge.dispute.created", "charge.dispute.closed"]
    assert "status of" in refusal(lambda: client.v1.disputes.close(dispute.id))[2]


def test_a_full_refund_ends_an_inquiry(alone: FakeStripe) -> None:
    client = alone.client()
    intent, dispute = disputed(alone, INQUIRY)
    refund(client, intent)
    assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"


def test_evidence_ends_an_inquiry(alone: FakeStripe) -> None:
    _, dispute = disputed(alone, INQUIRY)
    client = alone.client()
    evidence: Any = {"uncategorized_text": "winning_evidence"}
    sent = client.v1.disputes.update(dispute.id, {"evidence": evidence})
    assert sent.status == "warning_under_review"
    alone.advance(6)
    assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"


def test_an_inquiry_becomes_a_chargeback(alone: FakeStripe) -> None:
    client = alone.client()
    intent, dispute = disputed(alone, INQUIRY)
    alone.advance(60 * DAY)
    escalated = answered(alone, dispute, "escalate_inquiry_evidence")
    assert (escalated.status, moved(escalated)) == ("needs_response", [(-1000, 1500)])
    assert told(alone)[2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    assert refusal(lambda: refund(client, intent))[0] == "charge_disputed"
    won = answered(alone, escalated, "winning_evidence")
    assert (won.status, moved(won)) == ("won", [(-1000, 1500), (1000, 0)])


def test_a_refund_on_its_way_fails_when_the_bank_takes_the_money(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_pendingRefund")
    pending = refund(client, intent, amount=400)
    alone.control(f"payments/{intent.id}/dispute", {"reason": "fraudulent"})
    failed = client.v1.refunds.retrieve(pending.id)
    assert (failed.status, failed.failure_reason) == (
        "failed",
        "charge_for_pending_refund_disputed",
    )


def test_nothing_follows_a_charge_that_is_refunded(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_createIssuerFraudRecord")
    alone.advance(2)
    refund(client, intent)
    with shop.page(alone) as work:
        aftermath.follow(work, str(intent.latest_charge))
    assert len(client.v1.radar.early_fraud_warnings.list().data) == 1


def test_disputes_are_listed(alone: FakeStripe) -> None:
    one, mine = disputed(alone)
    _, other = disputed(alone, INQUIRY)
    api = alone.client().v1.disputes
    assert [it.id for it in api.list().data] == [other.id, mine.id]
    assert [it.id for it in api.list({"charge": str(one.latest_charge)}).data] == [mine.id]
    assert [it.id for it in api.list({"ending_before": mine.id}).data] == [other.id]
    assert api.list({"created": {"lt": 1_000_000_000}}).data == []


def test_a_withdrawal_becomes_available_like_everything_else(alone: FakeStripe) -> None:
    client = alone.client()
    _, dispute = disputed(alone)
    [taken] = dispute.balance_transactions
    assert (taken.type, taken.reporting_category) == ("adjustment", "dispute")
    assert (taken.source, taken.status) == (dispute.id, "pending")
    assert taken.fee_details[0].description == "Dispute fee"
    alone.advance(3 * DAY)
    [taken] = client.v1.disputes.retrieve(dispute.id).balance_transactions
    assert taken.status == "available"
    assert [it.id for it in client.v1.balance_transactions.list({"type": "adjustment"}).data] == [
        taken.id
    ]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"submit": True}, "submit"),
        ({"evidence": {"receipt": "file_x"}}, "evidence[receipt]"),
        ({"evidence": {"appeal": {"reason": "x"}}}, None),
        ({"evidence": {"surprise": "1"}}, "evidence[surprise]"),
    ],
)
def test_nonsense_is_refused(alone: FakeStripe, params: Any, param: str | None) -> None:
    _, dispute = disputed(alone)
    refused = refusal(lambda: alone.client().v1.disputes.update(dispute.id, params))
    assert param is None or refused[1] == param
    assert alone.client().v1.disputes.retrieve(dispute.id).status == "needs_response"


def test_an_early_fraud_warning(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, card_method(client, "4000000000005423").id)
    alone.advance(2)
    api = client.v1.radar.early_fraud_warnings
    [warning] = api.list({"payment_intent": intent.id}).data
    assert (warning.charge, warning.actionable) == (intent.latest_charge, True)
    assert api.retrieve(warning.id).fraud_type == "unauthorized_use_of_card"
    assert api.list({"charge": "ch_other"}).data == []
    [event] = alone.events("radar.early_fraud_warning.created")
    assert event["data"]["object"]["id"] == warning.id
    refund(client, intent)
    assert api.retrieve(warning.id).actionable is False
    [event] = alone.events("radar.early_fraud_warning.updated")
    assert event["data"]["previous_attributes"] == {"actionable": True}
