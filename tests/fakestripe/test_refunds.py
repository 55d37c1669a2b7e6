"""Refunds through the SDK: in part, in full, pending, failing; and what charges show of them."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe.banks import ACCOUNTS
from tests.fakestripe.billing import shop
from tests.fakestripe.builders import paid, payment_intent
from tests.fakestripe.harness import FakeStripe

DAY = 24 * 3600
PAST_SETTLING = 200


def refund(client: stripe.StripeClient, intent: Any, **params: Any) -> stripe.Refund:
    given: Any = {"payment_intent": intent.id, **params}
    return client.v1.refunds.create(given)


def charge_of(client: stripe.StripeClient, intent: Any) -> stripe.Charge:
    return client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})


def told(fake: FakeStripe, id: str) -> list[str]:
    """The types of the events about one refund, oldest first."""
    return [it["type"] for it in fake.events() if it["data"]["object"]["id"] == id]


def refusal(call: Any) -> tuple[str | None, str | None, str]:
    """The code, the parameter and the sentence with which a call is refused."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call()
    assert caught.value.http_status == 400
    return caught.value.code, caught.value.param, caught.value.user_message or ""


def test_a_payment_goes_back_in_parts(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    first = refund(client, intent, amount=300, reason="requested_by_customer", metadata={"a": "1"})
    assert (first.status, first.amount, first.reason) == ("succeeded", 300, "requested_by_customer")
    assert (first.payment_intent, first.charge) == (intent.id, intent.latest_charge)
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (300, False)
    rest = client.v1.refunds.create({"charge": str(intent.latest_charge)})
    assert rest.amount == 700
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (1000, True)
    assert charge.refunds is not None
    assert [it.id for it in charge.refunds.data] == [rest.id, first.id]
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_the_events_of_a_refund(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    made = refund(client, intent, amount=400)
    assert told(alone, made.id) == ["refund.created"]
    [event] = alone.events("charge.refunded")
    assert event["data"]["object"]["id"] == intent.latest_charge
    assert event["data"]["object"]["amount_refunded"] == 400
    assert event["data"]["previous_attributes"] == {"amount_refunded": 0}
    assert event["data"]["object"]["refunds"] is None
    refund(client, intent)
    last = alone.events("charge.refunded")[-1]
    assert last["data"]["previous_attributes"] == {"amount_refunded": 400, "refunded": False}


def test_the_banks_reference_comes_later_and_changes_nothing_else(alone: FakeStripe) -> None:
    client = alone.client()
    made = refund(client, paid(client))
    alone.advance(DAY + 10)
    assert told(alone, made.id) == ["refund.created", "refund.updated", "charge.refund.updated"]
    now = client.v1.refunds.retrieve(made.id)
    assert now.status == "succeeded"
    assert now.destination_details is not None and now.destination_details.card is not None
    assert now.destination_details.card.reference_status == "available"


def test_a_pending_refund_succeeds_later(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_pendingRefund")
    made = refund(client, intent)
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert charge_of(client, intent).refunded
    alone.advance(PAST_SETTLING)
    now = client.v1.refunds.retrieve(made.id)
    assert (now.status, now.pending_reason) == ("succeeded", None)
    update = alone.events("refund.updated")[0]["data"]["previous_attributes"]
    assert update == {"status": "pending", "pending_reason": "processing"}


def test_a_refund_fails_after_it_had_succeeded(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_refundFail")
    made = refund(client, intent, amount=600)
    assert made.status == "succeeded"
    alone.advance(PAST_SETTLING)
    now = client.v1.refunds.retrieve(made.id)
    assert (now.status, now.failure_reason) == ("failed", "expired_or_canceled_card")
    assert told(alone, made.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    alone.advance(2 * DAY)
    assert client.v1.refunds.retrieve(made.id).status == "failed"
    assert refund(client, intent).amount == 1000


def test_a_debits_refund_is_pending_first(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, next(it for it in ACCOUNTS if it.number == "000123456789").ids[0])
    alone.advance(10)
    made = refund(client, client.v1.payment_intents.retrieve(intent.id))
    assert made.status == "pending"
    alone.advance(PAST_SETTLING)
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"


def test_a_subscriptions_payment_is_refunded_through_its_invoice(alone: FakeStripe) -> None:
    client = alone.client()
    subscription = shop.subscribed(client)
    invoice = str(subscription.latest_invoice)
    [payment] = client.v1.invoice_payments.list({"invoice": invoice}).data
    intent = str(payment.payment.payment_intent)
    made = client.v1.refunds.create({"payment_intent": intent, "amount": 250})
    assert (made.status, made.payment_intent) == ("succeeded", intent)
    assert made.customer == subscription.customer
    [back] = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent}}
    ).data
    assert back.invoice == invoice
    assert client.v1.invoices.retrieve(invoice).status == "paid"


def test_the_same_key_refunds_once(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    params: Any = {"payment_intent": intent.id, "amount": 400}
    options: Any = {"idempotency_key": "refund:1"}
    first = client.v1.refunds.create(params, options)
    again = client.v1.refunds.create(params, options)
    assert first.id == again.id
    assert charge_of(client, intent).amount_refunded == 400


def test_refunds_are_listed(alone: FakeStripe) -> None:
    client = alone.client()
    one, other = paid(client), paid(client)
    mine = [refund(client, one, amount=amount).id for amount in (100, 200, 300)]
    refund(client, other)
    api = client.v1.refunds
    assert [it.id for it in api.list({"payment_intent": one.id}).data] == mine[::-1]
    assert [it.id for it in api.list({"charge": str(one.latest_charge)}).data] == mine[::-1]
    assert len(api.list().data) == 4
    page = api.list({"payment_intent": one.id, "limit": 2})
    assert (len(page.data), page.has_more) == (2, True)
    after = api.list({"payment_intent": one.id, "starting_after": mine[1]})
    assert [it.id for it in after.data] == mine[:1]
    assert api.list({"created": {"gt": 4_000_000_000}}).data == []


def test_a_refund_keeps_notes(alone: FakeStripe) -> None:
    client = alone.client()
    made = refund(client, paid(client), metadata={"order": "7"})
    changed = client.v1.refunds.update(made.id, {"metadata": {"by": "jo"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"order": "7", "by": "jo"}
    client.v1.refunds.update(made.id, {"metadata": {"by": "jo"}})
    assert len(alone.events("refund.updated")) == 1


def test_more_than_is_left_is_refused(client: stripe.StripeClient) -> None:
    intent = paid(client)
    refund(client, intent, amount=300)
    code, param, sentence = refusal(lambda: refund(client, intent, amount=701))
    assert (code, param) == (None, "amount")
    assert "$7.01" in sentence and "$7.00" in sentence
    refund(client, intent, amount=700)
    code, _, sentence = refusal(lambda: refund(client, intent))
    assert code == "charge_already_refunded"
    assert str(intent.latest_charge) in sentence


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_is_positive(client: stripe.StripeClient, amount: int) -> None:
    intent = paid(client)
    code, param, _ = refusal(lambda: refund(client, intent, amount=amount))
    assert (code, param) == ("parameter_invalid_integer", "amount")


def test_what_took_no_money_is_not_refunded(client: stripe.StripeClient) -> None:
    code, _, _ = refusal(lambda: refund(client, payment_intent(client)))
    assert code == "payment_intent_unexpected_state"
    held = paid(client, capture_method="manual")
    assert "taken no money" in refusal(lambda: refund(client, held))[2]
    processing = paid(client, "pm_usBankAccount_processing")
    assert refusal(lambda: refund(client, processing))[0] == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({}, "parameter_missing", None),
        ({"charge": "ch_x", "payment_intent": "pi_x"}, None, "payment_intent"),
        ({"charge": "ch_x"}, "resource_missing", "charge"),
        ({"payment_intent": "pi_x"}, "resource_missing", "payment_intent"),
        ({"charge": "ch_x", "reason": "because"}, None, "reason"),
        ({"charge": "ch_x", "reverse_transfer": True}, None, "reverse_transfer"),
        ({"charge": "ch_x", "surprise": "1"}, "parameter_unknown", "surprise"),
    ],
)
def test_nonsense_is_refused(
    client: stripe.StripeClient, params: Any, code: str | None, param: str | None
) -> None:
    assert refusal(lambda: client.v1.refunds.create(params))[:2] == (code, param)


def test_only_a_refund_that_waits_for_the_customer_is_canceled(alone: FakeStripe) -> None:
    client = alone.client()
    done = refund(client, paid(client))
    assert "requires_action" in refusal(lambda: client.v1.refunds.cancel(done.id))[2]
    intent = paid(client)
    path = f"payments/{intent.id}/refund"
    made = alone.control(path, {"course": "requires_action", "email": "jo@example.com"})
    assert made["status"] == "requires_action"
    assert made["next_action"]["display_details"]["email_sent"]["email_sent_to"] == "jo@example.com"
    assert client.v1.refunds.cancel(made["id"]).status == "canceled"
    assert charge_of(client, intent).amount_refunded == 0
    assert "requires_action" in refusal(lambda: client.v1.refunds.cancel(made["id"]))[2]


def test_every_refund_moves_the_balance(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_refundFail", description="1,000 credits")
    made = refund(client, intent, amount=600)
    alone.advance(PAST_SETTLING)
    now = client.v1.refunds.retrieve(
        made.id, {"expand": ["balance_transaction", "failure_balance_transaction"]}
    )
    out: Any = now.balance_transaction
    back: Any = now.failure_balance_transaction
    assert (out.type, out.amount, out.fee, out.net) == ("refund", -600, 0, -600)
    assert (out.source, out.description) == (made.id, "REFUND FOR CHARGE (1,000 credits)")
    assert (back.type, back.amount, back.source) == ("refund_failure", 600, made.id)
    listed = client.v1.balance_transactions.list({"source": made.id})
    assert [it.type for it in listed.data] == ["refund_failure", "refund"]
    fee = 59
    [pending] = client.v1.balance.retrieve().pending
    assert pending.amount == 1000 - fee
