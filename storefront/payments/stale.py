"""A payment that was never paid, brought to its end at Stripe and here."""

from datetime import timedelta
from typing import Literal

from storefront import users
from storefront.db import db, transaction
from storefront.errors import NotFound
from storefront.payments.settling import settle
from storefront.payments.tables import UNPAID, Payment
from storefront.stripe_gateway import Intent, StripeGateway

Ending = Literal["settled", "canceled", "left alone"]
"""Paid, and credited; nobody can pay it any more; still under way at the customer's bank."""

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much Stripe's clock and ours may disagree about when an intent was made."""


def end(gateway: StripeGateway, payment_id: str, *, dry_run: bool = False) -> Ending:
    """See to it that a top-up cannot be paid any more, or apply that it was: Stripe decides, also
    when the customer pays at this very moment. With `dry_run`, only what would be done.

    A row without an intent (we died between the call and its answer) is looked up among the
    customer's intents, by our id in their metadata. To repeat the request with its idempotency key
    would tell less: Stripe forgets keys after a day, then makes a second intent, and an attempt
    that it answered with a 500 had another key.
    Raises the gateway's errors, and Unprocessable as settle() does.
    """
    payment = db.session().get_one(Payment, payment_id)
    known_id = payment.stripe_intent_id
    intents = _intents_of(gateway, payment)
    if not dry_run:
        intents = [_ended(gateway, intent) for intent in intents]
        if all(intent.status == "canceled" for intent in intents):
            _close(payment_id, known_id, intents)
    states = {intent.status for intent in intents}
    if "succeeded" in states:
        return "settled"
    return "canceled" if states <= {"canceled", *UNPAID} else "left alone"


def _intents_of(gateway: StripeGateway, payment: Payment) -> list[Intent]:
    """What Stripe has for this payment now: mostly one intent, after a crash perhaps none, after
    failed attempts perhaps several. One that was paid comes first: it is the one that counts."""
    if payment.stripe_intent_id is not None:
        return _known(gateway, payment.stripe_intent_id)
    customer_id = users.find(payment.user_id).stripe_customer_id
    if customer_id is None:
        return []
    since, payment_id = payment.created_at - CLOCKS_DIFFER, payment.id
    try:
        listed = gateway.list_payment_intents_of(customer_id, since)
    except NotFound:
        return []
    ours = [intent for intent in listed if intent.payment_id == payment_id]
    return sorted(ours, key=lambda intent: intent.status != "succeeded")


def _known(gateway: StripeGateway, intent_id: str) -> list[Intent]:
    try:
        return [gateway.retrieve_payment_intent(intent_id)]
    except NotFound:  # made with other keys: nobody can pay it here
        return []


def _ended(gateway: StripeGateway, intent: Intent) -> Intent:
    """The intent, canceled unless it is paid or being paid, and applied to its payment."""
    if intent.status in UNPAID:
        intent = gateway.cancel_payment_intent(intent.id)
    with transaction() as session:
        settle(session, intent, asked=True)
    return intent


def _close(payment_id: str, known_id: str | None, intents: list[Intent]) -> None:
    """Close a row that no intent settles: there is none, or it does not fit (its customer was
    deleted at Stripe). One that was taken up again meanwhile is let be."""
    linked = [known_id, *(intent.id for intent in intents)]
    with transaction() as session:
        payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
        if not payment.final and payment.stripe_intent_id in linked:
            payment.status = "canceled"
