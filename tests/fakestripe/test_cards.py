"""Every card and bank account of the table does what its line says."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe.banks import ACCOUNTS, TestAccount
from storefront.fakestripe.cards import (
    CARDS,
    STAND_IN_PROCESSING_FAILS,
    STAND_IN_PROCESSING_SUCCEEDS,
    TestCard,
    luhn_valid,
)
from tests.fakestripe.builders import RETURN_URL, card_method, paid, payment_intent
from tests.fakestripe.harness import FakeStripe

# Stripe's list, written down once more: (number or id, how a payment with it goes at first).
DOCUMENTED = {
    "4242424242424242": "succeeded",
    "5555555555554444": "succeeded",
    "378282246310005": "succeeded",
    "pm_card_visa": "succeeded",
    "pm_card_mastercard": "succeeded",
    "pm_card_amex": "succeeded",
    "4000000000000002": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "4000000000000069": ("expired_card", None),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "4000000000000127": ("incorrect_cvc", None),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "4000000000000119": ("processing_error", None),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", None),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
    "4000000000000341": ("card_declined", "generic_decline"),
    "pm_card_chargeCustomerFail": ("card_declined", "generic_decline"),
    "4100000000000019": ("card_declined", "fraudulent"),
    "pm_card_radarBlock": ("card_declined", "fraudulent"),
    "4000002500003155": "requires_action",
    "pm_card_authenticationRequiredOnSetup": "requires_action",
    "4000002760003184": "requires_action",
    "pm_card_authenticationRequired": "requires_action",
    "4000003800000446": "requires_action",
    "pm_card_authenticationRequiredSetupForOffSession": "requires_action",
    "4000000000003220": "requires_action",
    "pm_card_threeDSecure2Required": "requires_action",
    "4000008400001629": "requires_action",
    "pm_card_threeDSecureRequiredChargeDeclined": "requires_action",
    "4000008400001280": ("card_declined", "generic_decline"),
    "pm_card_threeDSecureRequiredProcessingError": ("card_declined", "generic_decline"),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "requires_action",
    "4000000000000259": "succeeded",
    "pm_card_createDispute": "succeeded",
    "4000000000002685": "succeeded",
    "pm_card_createDisputeProductNotReceived": "succeeded",
    "4000000000001976": "succeeded",
    "pm_card_createDisputeInquiry": "succeeded",
    "4000000000005423": "succeeded",
    "pm_card_createIssuerFraudRecord": "succeeded",
    "4000000000007726": "succeeded",
    "pm_card_pendingRefund": "succeeded",
    "4000000000005126": "succeeded",
    "pm_card_refundFail": "succeeded",
    STAND_IN_PROCESSING_SUCCEEDS: "processing",
    STAND_IN_PROCESSING_FAILS: "processing",
    "pm_usBankAccount_success": "processing",
}


def outcome(client: stripe.StripeClient, method: str) -> str | tuple[str | None, str | None]:
    """Return the status after a first confirmation, or the decline's code and decline code."""
    if method[0].isdigit():
        method = card_method(client, method).id
    intent = payment_intent(client)
    try:
        client.v1.payment_intents.confirm(
            intent.id, {"payment_method": method, "return_url": RETURN_URL}
        )
    except stripe.CardError as error:
        assert error.error is not None
        assert error.http_status == 402
        found = client.v1.payment_intents.retrieve(intent.id)
        assert found.status == "requires_payment_method"
        assert found.last_payment_error is not None
        assert found.last_payment_error.code == error.error.code
        return error.error.code, error.error.decline_code
    return str(client.v1.payment_intents.retrieve(intent.id).status)


@pytest.mark.parametrize("method", DOCUMENTED)
def test_a_card_does_what_stripe_documents(client: stripe.StripeClient, method: str) -> None:
    assert outcome(client, method) == DOCUMENTED[method]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)
def test_a_cards_number_and_ids_agree(client: stripe.StripeClient, card: TestCard) -> None:
    names = [*([card.number] if card.number else []), *card.ids]
    names = [name for name in names if not name.startswith("tok_")]
    assert len({str(outcome(client, name)) for name in names}) == 1


def test_numbers_are_well_formed_and_unique() -> None:
    numbers = [card.number for card in CARDS if card.number]
    ids = [id for card in CARDS for id in card.ids]
    assert all(luhn_valid(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(set(ids)) == len(ids)
    assert not luhn_valid("4242424242424241")


def test_the_stand_ins_own_cards_settle_after_three_minutes(alone: FakeStripe) -> None:
    client = alone.client()
    good = paid(client, card_method(client, STAND_IN_PROCESSING_SUCCEEDS).id)
    bad = paid(client, card_method(client, STAND_IN_PROCESSING_FAILS).id)
    alone.advance(150)
    assert {client.v1.payment_intents.retrieve(i.id).status for i in (good, bad)} == {"processing"}
    alone.advance(40)
    assert client.v1.payment_intents.retrieve(good.id).status == "succeeded"
    failed = client.v1.payment_intents.retrieve(bad.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.decline_code == "generic_decline"


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.key)
def test_a_bank_account_settles_as_its_line_says(alone: FakeStripe, account: TestAccount) -> None:
    client = alone.client()
    intent = paid_by_debit(client, account)
    assert intent.status == "processing"
    settlement = account.behaviour.settlement
    assert settlement is not None
    alone.advance(7 * 24 * 3600)
    found = client.v1.payment_intents.retrieve(intent.id)
    if settlement.seconds is None:
        assert found.status == "processing"
    elif settlement.decline is None:
        assert (found.status, found.amount_received) == ("succeeded", 1000)
    else:
        assert found.status == "requires_payment_method"
        assert found.last_payment_error is not None
        assert found.last_payment_error.code == settlement.decline.code


def paid_by_debit(client: stripe.StripeClient, account: TestAccount) -> stripe.PaymentIntent:
    sepa = account.type == "sepa_debit"
    details = {"iban": account.number} if sepa else {
        "account_number": account.number, "routing_number": "110000000"
    }  # fmt: skip
    data: Any = {"type": account.type, account.type: details,
                 "billing_details": {"name": "Jo", "email": "jo@example.com"}}  # fmt: skip
    return payment_intent(
        client, currency="eur" if sepa else "usd", confirm=True, payment_method_data=data
    )


def test_a_debit_needs_the_right_currency(client: stripe.StripeClient) -> None:
    sepa = next(a for a in ACCOUNTS if a.type == "sepa_debit")
    method = client.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": sepa.number},
            "billing_details": {"name": "Jo", "email": "jo@example.com"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="not allowed for this PaymentIntent"):
        paid(client, method.id, currency="usd")


def test_the_table_is_shown_to_people(fakestripe: FakeStripe) -> None:
    shown = fakestripe.control("cards")
    assert len(shown["cards"]) == len(CARDS)
    assert len(shown["bank_accounts"]) == len(ACCOUNTS)
    assert {"number", "title", "brand", "ids"} <= set(shown["cards"][0])
