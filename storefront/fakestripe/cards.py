"""Every test card of Stripe that the stand-in knows, and two of its own, as one table."""

from __future__ import annotations

from dataclasses import dataclass, field

from .behaviour import (
    ALWAYS,
    LATE_SECONDS,
    SET_UP,
    UNLESS_SET_UP,
    Behaviour,
    Decline,
    Settlement,
    declined,
)

# These two numbers belong to the stand-in only: Stripe has no card that settles late. They let
# a buyer see `processing` with nothing but the card fields.
STAND_IN_PROCESSING_SUCCEEDS = "4000009999000014"
STAND_IN_PROCESSING_FAILS = "4000009999000022"

INSUFFICIENT_FUNDS = declined("insufficient_funds", "Your card has insufficient funds.")


@dataclass(frozen=True)
class TestCard:
    """One card: its number, the `pm_…` ids and `tok_…` tokens that stand for it, its behaviour."""

    __test__ = False  # its name must not make pytest collect it

    number: str | None
    title: str
    ids: tuple[str, ...] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    last4: str = ""

    @property
    def key(self) -> str:
        """The name under which a payment method remembers its card."""
        return self.number or self.ids[0]


CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "Succeeds (Visa)", ("pm_card_visa", "tok_visa")),
    TestCard(
        "4000056655665556", "Succeeds (Visa debit)", ("pm_card_visa_debit", "tok_visa_debit"),
        funding="debit",
    ),
    TestCard(
        "5555555555554444", "Succeeds (Mastercard)", ("pm_card_mastercard", "tok_mastercard"),
        brand="mastercard",
    ),
    TestCard(
        "378282246310005", "Succeeds (American Express)", ("pm_card_amex", "tok_amex"),
        brand="amex",
    ),
    TestCard(
        "4000000000000002", "Declined",
        ("pm_card_visa_chargeDeclined", "pm_card_chargeDeclined", "tok_chargeDeclined"),
        Behaviour(decline=declined("generic_decline"), attaches=False),
    ),
    TestCard(
        "4000000000009995", "Declined: insufficient funds",
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "tok_chargeDeclinedInsufficientFunds"),
        Behaviour(decline=INSUFFICIENT_FUNDS, attaches=False),
    ),
    TestCard(
        "4000000000009987", "Declined: lost card", ("pm_card_visa_chargeDeclinedLostCard",),
        Behaviour(decline=declined("lost_card"), attaches=False),
    ),
    TestCard(
        "4000000000009979", "Declined: stolen card", ("pm_card_visa_chargeDeclinedStolenCard",),
        Behaviour(decline=declined("stolen_card"), attaches=False),
    ),
    TestCard(
        "4000000000000069", "Declined: expired card",
        ("pm_card_chargeDeclinedExpiredCard", "tok_chargeDeclinedExpiredCard"),
        Behaviour(decline=Decline("expired_card", "Your card has expired."), attaches=False),
    ),
    TestCard(
        "4000000000000127", "Declined: wrong security code",
        ("pm_card_chargeDeclinedIncorrectCvc", "tok_chargeDeclinedIncorrectCvc"),
        Behaviour(
            decline=Decline("incorrect_cvc", "Your card's security code is incorrect."),
            attaches=False,
        ),
    ),
    TestCard(
        "4000000000000119", "Declined: processing error",
        ("pm_card_chargeDeclinedProcessingError", "tok_chargeDeclinedProcessingError"),
        Behaviour(
            decline=Decline(
                "processing_error",
                "An error occurred while processing your card. Try again in a little bit.",
                advice="try_again_later",
            ),
            attaches=False,
        ),
    ),
    TestCard(
        "4000000000006975", "Declined: too many charges",
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded",),
        Behaviour(
            decline=declined(
                "card_velocity_exceeded",
                "Your card was declined for making repeated attempts too frequently or exceeding"
                " its amount limit.",
            ),
            attaches=False,
        ),
    ),
    TestCard(
        "4000000000000341", "Can be saved, then each charge is declined",
        ("pm_card_chargeCustomerFail", "tok_chargeCustomerFail"),
        Behaviour(decline=declined("generic_decline")),
    ),
    TestCard(
        "4100000000000019", "Blocked by Radar",
        ("pm_card_radarBlock", "pm_card_chargeDeclinedFraudulent"),
        Behaviour(
            decline=Decline(
                "card_declined", "Your card was declined.", "fraudulent", blocked=True
            ),
        ),
    ),
    TestCard(
        "4000002500003155", "3-D Secure unless set up for later",
        ("pm_card_authenticationRequiredOnSetup",), Behaviour(authentication=UNLESS_SET_UP),
    ),
    TestCard(
        "4000002760003184", "3-D Secure on every payment", ("pm_card_authenticationRequired",),
        Behaviour(authentication=ALWAYS),
    ),
    TestCard(
        "4000003800000446", "3-D Secure, already set up for later",
        ("pm_card_authenticationRequiredSetupForOffSession",), Behaviour(authentication=SET_UP),
    ),
    TestCard(
        "4000000000003220", "3-D Secure 2 required", ("pm_card_threeDSecure2Required",),
        Behaviour(authentication=ALWAYS),
    ),
    TestCard(
        "4000008400001629", "3-D Secure, then declined",
        ("pm_card_threeDSecureRequiredChargeDeclined",),
        Behaviour(authentication=ALWAYS, after_authentication=declined("generic_decline")),
    ),
    TestCard(
        "4000008400001280", "3-D Secure cannot be reached, declined",
        ("pm_card_threeDSecureRequiredProcessingError",),
        Behaviour(lookup_fails=declined("generic_decline")),
    ),
    TestCard(
        None, "3-D Secure, then insufficient funds",
        ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",),
        Behaviour(authentication=ALWAYS, after_authentication=INSUFFICIENT_FUNDS),
        last4="9995",
    ),
    TestCard(
        "4000000000000259", "Succeeds, then disputed as fraud", ("pm_card_createDispute",),
        Behaviour(aftermath="dispute_fraudulent"),
    ),
    TestCard(
        "4000000000002685", "Succeeds, then disputed as not received",
        ("pm_card_createDisputeProductNotReceived",),
        Behaviour(aftermath="dispute_product_not_received"),
    ),
    TestCard(
        "4000000000001976", "Succeeds, then an inquiry", ("pm_card_createDisputeInquiry",),
        Behaviour(aftermath="dispute_inquiry"),
    ),
    TestCard(
        "4000000000005423", "Succeeds, then an early fraud warning",
        ("pm_card_createIssuerFraudRecord",), Behaviour(aftermath="early_fraud_warning"),
    ),
    TestCard(
        "4000000000007726", "Succeeds; a refund is pending first", ("pm_card_pendingRefund",),
        Behaviour(aftermath="refund_pending"),
    ),
    TestCard(
        "4000000000005126", "Succeeds; a refund fails later", ("pm_card_refundFail",),
        Behaviour(aftermath="refund_fails"),
    ),
    TestCard(
        STAND_IN_PROCESSING_SUCCEEDS, "Stand-in only: processing, succeeds after 3 minutes",
        ("pm_card_standInProcessingSucceeds",), Behaviour(settlement=Settlement(LATE_SECONDS)),
    ),
    TestCard(
        STAND_IN_PROCESSING_FAILS, "Stand-in only: processing, fails after 3 minutes",
        ("pm_card_standInProcessingFails",),
        Behaviour(settlement=Settlement(LATE_SECONDS, declined("generic_decline"))),
    ),
)  # fmt: skip

BY_NUMBER = {card.number: card for card in CARDS if card.number}
BY_ID = {id: card for card in CARDS for id in card.ids}
BY_KEY = {card.key: card for card in CARDS}


def luhn_valid(number: str) -> bool:
    """Tell whether a card number's check digit is right."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def brand_of(number: str) -> str:
    """Return the brand that a number's first digits stand for."""
    if number in BY_NUMBER:
        return BY_NUMBER[number].brand
    prefixes = (("34", "amex"), ("37", "amex"), ("4", "visa"), ("5", "mastercard"),
                ("2", "mastercard"), ("6", "discover"), ("3", "diners"))  # fmt: skip
    return next((brand for start, brand in prefixes if number.startswith(start)), "unknown")
