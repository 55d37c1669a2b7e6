"""Event type -> function: the only place where an event becomes an effect.

handle() first tries the hot path (a payment that fits in every respect, one commit); all else
goes through the inbox, in one transaction with its record.
"""

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import inbox, ledger, payments
from storefront.db import db, transaction
from storefront.errors import Unprocessable
from storefront.inbox import Effect, Outcome, State
from storefront.stripe_gateway import Event, Intent

log = logging.getLogger(__name__)


def payment_intent_changed(session: Session, event: Event) -> State:
    """A payment intent has got somewhere: move its payment, credit its pack when it is paid."""
    intent = Intent.from_dict(event.object)
    if event.type == "payment_intent.succeeded" and intent.status != "succeeded":
        raise Unprocessable(f"{intent.id}: the event says succeeded, the intent {intent.status}.")
    payment = payments.settle(session, intent, happened_at=event.created)
    return "handled" if payment else "ignored"


HANDLERS: dict[str, Effect] = {
    "payment_intent.succeeded": payment_intent_changed,  # the money arrived: credit the pack
    "payment_intent.payment_failed": payment_intent_changed,  # declined: say why
    "payment_intent.processing": payment_intent_changed,  # a slow method: wait
    "payment_intent.requires_action": payment_intent_changed,  # 3-D Secure is asked for
    "payment_intent.canceled": payment_intent_changed,  # will never be paid
}


def handle(event: Event) -> Outcome:
    """Give a verified event its effect, once, however often it comes. Never calls Stripe."""
    if event.type == "payment_intent.succeeded":
        outcome = _settle_fast(event)
        if outcome is not None:
            return outcome
    return inbox.receive(event, HANDLERS.get(event.type, _ignored))


def _ignored(_session: Session, _event: Event) -> State:
    return "ignored"


def _settle_fast(event: Event) -> Outcome | None:
    """The hot path; None when the event needs the long way."""
    paid = _paid_event(event)
    if paid is None:
        return None
    try:
        settlement = _settle(paid)
    except DBAPIError:  # the long way finds out what is wrong, and writes it down
        log.warning("event %s takes the long way", event.id, exc_info=True)
        return None
    if settlement.payment_id is not None:
        return Outcome("handled")
    if settlement.seen == "handled":
        return Outcome("handled", duplicate=True)
    return None


def _paid_event(event: Event) -> ledger.PaidEvent | None:
    try:
        intent = Intent.from_dict(event.object)
    except Unprocessable:
        return None
    if intent.status != "succeeded" or intent.customer_id is None:
        return None
    return ledger.PaidEvent(
        id=event.id,
        type=event.type,
        api_version=event.api_version,
        livemode=event.livemode,
        created=event.created,
        payload=event.payload,
        intent_id=intent.id,
        amount_received=intent.amount_received,
        currency=intent.currency,
        customer_id=intent.customer_id,
    )


def _settle(paid: ledger.PaidEvent) -> ledger.Settlement:
    if db.engine.dialect.name == "sqlite":
        with transaction() as session:
            return ledger.settle_payment(session.connection(), paid)
    try:
        return _settle_at_once(db.engine, paid)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _settle_at_once(db.engine, paid)  # a stale connection; repeating is harmless


def _settle_at_once(engine: Engine, paid: ledger.PaidEvent) -> ledger.Settlement:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return ledger.settle_payment(connection, paid)
