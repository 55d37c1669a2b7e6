"""Payment intents: statuses, what each allows, and the events of each step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import RETURN_URL, card_method, customer, paid, payment_intent
from tests.fakestripe.harness import FakeStripe


def types(fake: FakeStripe, skip: tuple[str, ...] = ("customer", "charge.updated")) -> list[str]:
    return [e["type"] for e in fake.events() if not e["type"].startswith(skip)]


def error_of(attempt: Callable[[], Any]) -> Any:
    """Return the error object of a call that must fail."""
    with pytest.raises(stripe.StripeError) as caught:
        attempt()
    assert caught.value.error is not None
    return caught.value.error


def test_the_simple_story(alone: FakeStripe) -> None:
    client = alone.client()
    buyer = customer(client)
    intent = payment_intent(client, customer=buyer.id, metadata={"payment": "p1"})
    assert intent.status == "requires_payment_method"
    intent = client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    intent = client.v1.payment_intents.confirm(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 1000)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    assert charge.customer == buyer.id
    assert charge.metadata.to_dict() == {"payment": "p1"}
    assert types(alone) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_the_charge_is_booked_a_moment_later(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    charge = client.v1.charges.retrieve(intent.latest_charge)
    alone.advance(5)
    booked = client.v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
    transaction: Any = booked.balance_transaction
    assert (transaction.amount, transaction.fee, transaction.net) == (1000, 59, 941)
    update = alone.events("charge.updated")[0]
    assert update["data"]["previous_attributes"] == {"balance_transaction": None}


def test_a_decline_can_be_followed_by_another_card(alone: FakeStripe) -> None:
    client = alone.client()
    intent = payment_intent(client)
    error = error_of(
        lambda: client.v1.payment_intents.confirm(
            intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}
        )
    )
    assert (error.type, error.code) == ("card_error", "card_declined")
    assert error.message == "Your card has insufficient funds."
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.payment_method is None
    assert error.payment_method.card.last4 == "9995"
    assert error.charge == error.payment_intent.latest_charge
    assert error.doc_url.endswith("/card-declined")
    intent = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert intent.status == "succeeded"
    assert intent.last_payment_error is None
    assert types(alone) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert [c.status for c in client.v1.charges.list({"payment_intent": intent.id})] == [
        "succeeded",
        "failed",
    ]


def test_a_decline_at_creation_leaves_the_intent(client: stripe.StripeClient) -> None:
    error = error_of(lambda: paid(client, "pm_card_visa_chargeDeclined"))
    found = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert found.status == "requires_payment_method"
    assert found.last_payment_error is not None
    assert found.last_payment_error.decline_code == "generic_decline"


def test_a_radar_block_shows_in_the_outcome(client: stripe.StripeClient) -> None:
    error = error_of(lambda: paid(client, "pm_card_radarBlock"))
    outcome = client.v1.charges.retrieve(error.charge).outcome
    assert outcome is not None
    assert (outcome.type, outcome.risk_level) == ("blocked", "highest")


def test_off_session_payments_follow_the_cards_rule(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    always = client.v1.payment_methods.attach(
        "pm_card_authenticationRequired", {"customer": buyer.id}
    )
    set_up = client.v1.payment_methods.attach(
        "pm_card_authenticationRequiredSetupForOffSession", {"customer": buyer.id}
    )
    error = error_of(lambda: paid(client, always.id, customer=buyer.id, off_session=True))
    assert (error.code, error.decline_code) == ("authentication_required",) * 2
    assert paid(client, set_up.id, customer=buyer.id, off_session=True).status == "succeeded"


def test_a_card_set_up_once_passes_off_session(alone: FakeStripe) -> None:
    client = alone.client()
    buyer = customer(client)
    number = "4000002500003155"
    first = paid(
        client, card_method(client, number).id, customer=buyer.id,
        setup_future_usage="off_session", return_url=RETURN_URL,
    )  # fmt: skip
    assert first.status == "requires_action"
    finish(alone, first, "complete")
    saved = client.v1.customers.payment_methods.list(buyer.id).data[0]
    assert paid(client, saved.id, customer=buyer.id, off_session=True).status == "succeeded"
    fresh = client.v1.payment_methods.attach(card_method(client, number).id, {"customer": buyer.id})
    error = error_of(lambda: paid(client, fresh.id, customer=buyer.id, off_session=True))
    assert error.code == "authentication_required"


def test_error_on_requires_action_declines_instead(client: stripe.StripeClient) -> None:
    error = error_of(
        lambda: paid(client, "pm_card_authenticationRequired", error_on_requires_action=True)
    )
    assert error.code == "authentication_required"
    assert error.payment_intent.status == "requires_payment_method"


def test_a_return_url_is_needed_where_methods_may_redirect(client: stripe.StripeClient) -> None:
    automatic = {"enabled": True}
    error = error_of(lambda: paid(client, automatic_payment_methods=automatic))
    assert error.code == "payment_intent_redirect_confirmation_without_return_url"
    options: Any = {"automatic_payment_methods": automatic}
    assert paid(client, **options, return_url=RETURN_URL).status == "succeeded"
    assert paid(client, **options, off_session=True).status == "succeeded"


def test_a_paid_intent_is_closed(client: stripe.StripeClient) -> None:
    intent = paid(client)
    api = client.v1.payment_intents
    attempts: list[Callable[[], Any]] = [
        lambda: api.confirm(intent.id, {"payment_method": "pm_card_visa"}),
        lambda: api.cancel(intent.id),
        lambda: api.capture(intent.id),
        lambda: api.update(intent.id, {"amount": 2000}),
    ]
    for attempt in attempts:
        error = error_of(attempt)
        assert error.code == "payment_intent_unexpected_state"
        assert error.payment_intent.id == intent.id
    assert api.update(intent.id, {"description": "still allowed"}).description == "still allowed"
    assert api.retrieve(intent.id).amount == 1000


def test_a_canceled_intent_is_closed(alone: FakeStripe) -> None:
    client = alone.client()
    api = client.v1.payment_intents
    intent = api.cancel(payment_intent(client).id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
    assert intent.canceled_at is not None
    assert types(alone)[-1] == "payment_intent.canceled"
    for attempt in (
        lambda: api.confirm(intent.id, {"payment_method": "pm_card_visa"}),
        lambda: api.cancel(intent.id),
    ):
        assert error_of(attempt).code == "payment_intent_unexpected_state"


def test_a_processing_intent_can_be_neither_confirmed_nor_canceled(
    client: stripe.StripeClient,
) -> None:
    intent = paid(client, "pm_usBankAccount_processing")
    api = client.v1.payment_intents
    for attempt in (lambda: api.confirm(intent.id), lambda: api.cancel(intent.id)):
        assert error_of(attempt).code == "payment_intent_unexpected_state"


def test_confirming_needs_a_payment_method(client: stripe.StripeClient) -> None:
    intent = payment_intent(client)
    error = error_of(lambda: client.v1.payment_intents.confirm(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    assert "missing a payment method" in error.message


def test_parallel_confirmations_charge_once(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    intent = payment_intent(client)
    outcomes: list[str] = []

    def confirm() -> None:
        try:
            params: Any = {"payment_method": "pm_card_visa"}
            outcomes.append(str(client.v1.payment_intents.confirm(intent.id, params).status))
        except stripe.InvalidRequestError as error:
            outcomes.append(str(error.code))

    threads = [threading.Thread(target=confirm) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["payment_intent_unexpected_state"] * 7 + ["succeeded"]
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_late_settlement_and_its_events(alone: FakeStripe) -> None:
    client = alone.client()
    good = paid(client, "pm_card_standInProcessingSucceeds")
    assert (good.status, good.amount_received) == ("processing", 0)
    assert types(alone)[-2:] == ["charge.pending", "payment_intent.processing"]
    alone.advance(200)
    assert types(alone)[-2:] == ["charge.succeeded", "payment_intent.succeeded"]
    settled = client.v1.payment_intents.retrieve(good.id)
    assert settled.latest_charge == good.latest_charge
    event = alone.events("payment_intent.succeeded")[0]
    assert event["request"] == {"id": None, "idempotency_key": None}
    # It is dated when it happened, not when the clock came to rest.
    assert event["created"] - good.created in (180, 181)


def test_a_late_failure_can_be_tried_again(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, "pm_card_standInProcessingFails")
    alone.advance(200)
    assert types(alone)[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_manual_capture(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1000)
    assert types(alone)[-1] == "payment_intent.amount_capturable_updated"
    assert (
        error_of(
            lambda: client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1001})
        ).code
        == "amount_too_large"
    )
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 400})
    assert (captured.status, captured.amount_received) == ("succeeded", 400)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.captured, charge.amount_captured) == (True, 400)


def test_an_authorisation_expires_after_a_week(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client, capture_method="manual")
    alone.advance(7 * 24 * 3600 + 1)
    found = client.v1.payment_intents.retrieve(intent.id)
    assert (found.status, found.cancellation_reason) == ("canceled", "automatic")
    assert types(alone)[-2:] == ["charge.expired", "payment_intent.canceled"]


def test_payment_method_types_follow_currency_and_filters(client: stripe.StripeClient) -> None:
    create: Any = client.v1.payment_intents.create
    base: Any = {"amount": 1000}
    assert create({**base, "currency": "usd"}).payment_method_types == ["card", "us_bank_account"]
    assert create({**base, "currency": "eur"}).payment_method_types == ["card", "sepa_debit"]
    assert create({**base, "currency": "CHF"}).payment_method_types == ["card"]
    off: Any = {"automatic_payment_methods": {"enabled": False}}
    assert create({**base, "currency": "usd", **off}).payment_method_types == ["card"]
    allowed: Any = {"allowed_payment_method_types": ["us_bank_account"]}
    assert create({**base, "currency": "usd", **allowed}).payment_method_types == [
        "us_bank_account"
    ]
    excluded: Any = {"excluded_payment_method_types": ["card"]}
    assert create({**base, "currency": "usd", **excluded}).payment_method_types == [
        "us_bank_account"
    ]


def test_a_zero_decimal_currency_has_its_own_minimum(client: stripe.StripeClient) -> None:
    assert payment_intent(client, amount=50, currency="jpy").amount == 50
    error = error_of(lambda: payment_intent(client, amount=49, currency="jpy"))
    assert (error.code, error.message) == ("amount_too_small", "Amount must be at least ¥50 jpy")


def test_the_amount_can_change_until_it_is_paid(client: stripe.StripeClient) -> None:
    intent = payment_intent(client)
    updated = client.v1.payment_intents.update(intent.id, {"amount": 2500, "currency": "eur"})
    assert (updated.amount, updated.currency) == (2500, "eur")
    done = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert done.amount_received == 2500


def test_the_receipt_can_be_read_by_its_link(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    charge = client.v1.charges.retrieve(paid(client).latest_charge)
    answer = fakestripe.session.get(str(charge.receipt_url), timeout=10)
    assert answer.status_code == 200
    assert "$10.00 usd" in answer.text
    forged = fakestripe.session.get(f"{charge.receipt_url}x", timeout=10)
    assert forged.status_code == 404


def finish(fake: FakeStripe, intent: stripe.PaymentIntent, outcome: str) -> None:
    answer = fake.session.post(
        f"{fake.url}/_3ds/{intent.id}/{outcome}",
        data={"client_secret": intent.client_secret},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
