"""Event -> effect, for money that flows back: the handlers of refunds, disputes and early fraud
warnings. handlers.py lists them with all others."""

import logging

from sqlalchemy.orm import Session

from storefront import jobs, reversals, users
from storefront.inbox import State
from storefront.observing import about
from storefront.stripe_gateway import (
    ChargeFacts,
    DisputeFacts,
    Event,
    FraudWarningFacts,
    RefundFacts,
)

WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"
CLOSED = "charge.dispute.closed"

log = logging.getLogger(__name__)


def refund_changed(session: Session, event: Event) -> State:
    """Money went back, or came back because it could not be delivered: correct the credits."""
    facts = RefundFacts.from_dict(event.object)
    refund = reversals.apply_refund(session, facts, happened_at=event.created)
    if refund is not None:
        _note(refund.payment_id)
        return "handled"
    return _ask(session, event, facts.intent_id, facts.customer_id)


def charge_refunded(session: Session, event: Event) -> State:
    """A sum of refunds. If it is more than we know of, have them fetched."""
    facts = ChargeFacts.from_dict(event.object)
    known = reversals.refunded_of(session, facts.intent_id) if facts.intent_id else None
    if known is not None and known >= facts.amount_refunded:
        return "handled"
    return _ask(session, event, facts.intent_id, facts.customer_id)


def dispute_changed(session: Session, event: Event) -> State:
    """A bank asks, takes the money, gives it back or has decided. What is true at the end is
    fetched as well: only then is it certain how an appeal ended."""
    facts = DisputeFacts.from_dict(event.object)
    dispute = reversals.apply_dispute(
        session,
        facts,
        withdrawn=event.type == WITHDRAWN,
        reinstated=event.type == REINSTATED,
        happened_at=event.created,
    )
    if dispute is not None:
        _note(dispute.payment_id)
    if dispute is None or event.type == CLOSED:
        return _ask(session, event, facts.intent_id)
    return "handled"


def fraud_warned(session: Session, event: Event) -> State:
    """A card's issuer suspects fraud: write it down for the operator."""
    facts = FraudWarningFacts.from_dict(event.object)
    if reversals.apply_warning(session, facts) is not None:
        return "handled"
    return _ask(session, event, facts.intent_id)


def _note(payment_id: str | None) -> None:
    """For the log: an invoice's money has no payment of ours."""
    if payment_id is not None:
        about.bind(payment_id=payment_id)


def _ask(
    session: Session, event: Event, intent_id: str | None, customer_id: str | None = None
) -> State:
    """Have Stripe asked what the payment is and what went back of it; unless it is certain that it
    is none of ours: all our payments have an intent, and a customer who is somebody here."""
    if intent_id is None:
        log.info("event %s is ignored: it is of a payment without an intent", event.id)
        return "ignored"
    known = reversals.refunded_of(session, intent_id) is not None
    stranger = customer_id and users.of_stripe_customer(session, customer_id) is None
    if stranger and not known:
        log.info("event %s is ignored: %s is no customer of ours", event.id, customer_id)
        return "ignored"
    jobs.promise(
        session,
        "sync_reversals",
        {"intent": intent_id},
        key=f"sync_reversals:{intent_id}:{event.id}",
    )
    return "handled"
