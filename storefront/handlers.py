"""Event type -> function: the only place where an event becomes an effect.

handle() first tries the hot path (a payment that fits in every respect, one commit); all else
goes through the inbox, in one transaction with its record.
"""

import logging

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import card_testing, checkouts, inbox, jobs, ledger, payments, subscriptions, users
from storefront.db import at_once, db, sqlite_transaction, utcnow
from storefront.errors import Unprocessable
from storefront.inbox import Effect, Outcome, State
from storefront.money_back import charge_refunded, dispute_changed, fraud_warned, refund_changed
from storefront.observing import about, counting
from storefront.observing.lines import with_facts
from storefront.stripe_gateway import CheckoutSession, Event, Intent
from storefront.stripe_gateway.reading import mapping, named, reference, whole

PAYMENT_FAILED = "checkout.session.async_payment_failed"
SESSION_STATES = {
    "checkout.session.completed": ("complete", None),
    "checkout.session.async_payment_succeeded": ("complete", "paid"),
    PAYMENT_FAILED: ("complete", "unpaid"),
    "checkout.session.expired": ("expired", None),
}
"""What a session's status and payment_status must be for the event to be believed."""

log = logging.getLogger(__name__)


def payment_intent_changed(session: Session, event: Event) -> State:
    """A payment intent has got somewhere: move its payment, credit its pack when it is paid."""
    intent = Intent.from_dict(event.object)
    if event.type == "payment_intent.succeeded" and intent.status != "succeeded":
        raise Unprocessable(f"{intent.id}: the event says succeeded, the intent {intent.status}.")
    payment = payments.settle(session, intent, happened_at=event.created)
    if payment is None:
        return "ignored"
    about.bind(payment_id=payment.id)
    if event.type == card_testing.DECLINED:
        card_testing.stop_at_the_limit(session, payment)
    return "handled"


def checkout_session_changed(session: Session, event: Event) -> State:
    """A Checkout Session has ended: record the purchase or note the subscription."""
    facts = CheckoutSession.from_dict(event.object)
    status, paid = SESSION_STATES[event.type]
    if facts.status != status or (paid and facts.payment_status != paid):
        found = f"{facts.status}, {facts.payment_status}"
        raise Unprocessable(f"{facts.id}: the event is {event.type}, the session is {found}.")
    failed = event.type == PAYMENT_FAILED
    checkout = checkouts.settle(session, facts, failed=failed, happened_at=event.created)
    return "handled" if checkout else "ignored"


def subscription_changed(session: Session, event: Event) -> State:
    """Whatever happened to a subscription: have what is true now fetched."""
    subscription_id = named(event.object, "id")
    known = users.of_stripe_customer(session, named(event.object, "customer"))
    if known is None and subscriptions.find(session, subscription_id) is None:
        return "ignored"
    subscriptions.promise_sync(session, subscription_id, event.id)
    return "handled"


def trial_will_end(session: Session, event: Event) -> State:
    """Three days before a trial ends: tell the customer, once for this end."""
    state = subscription_changed(session, event)
    if state == "handled":
        subscription_id, end = named(event.object, "id"), whole(event.object, "trial_end")
        jobs.promise(
            session,
            "mail_trial_ending",
            {"subscription": subscription_id},
            key=f"mail_trial_ending:{subscription_id}:{end}",
        )
    return state


def invoice_changed(session: Session, event: Event) -> State:
    """An invoice was paid, or could not be: have the customer's invoices fetched, which credits
    those that are paid, once."""
    customer_id = named(event.object, "customer")
    if users.of_stripe_customer(session, customer_id) is None:
        return "ignored"
    subscriptions.promise_invoices(session, customer_id, event.id)
    return "handled"


def invoice_not_paid(session: Session, event: Event) -> State:
    """A charge for a subscription was declined, or the bank wants to ask: tell the customer, once
    for each attempt, whichever of the two events comes first."""
    state = invoice_changed(session, event)
    parent = mapping(event.object.get("parent"))
    of_subscription = reference(mapping(parent.get("subscription_details")).get("subscription"))
    if state == "handled" and of_subscription is not None:
        invoice_id, attempt = named(event.object, "id"), whole(event.object, "attempt_count", 0)
        jobs.promise(
            session,
            "mail_payment_failed",
            {"invoice_id": invoice_id},
            key=f"mail_payment_failed:{invoice_id}:{attempt}",
        )
    return state


def invoice_created(_session: Session, _event: Event) -> State:
    """A draft brings nothing yet. It is answered at once: Stripe waits with finalizing an invoice
    for up to 72 hours until this event is answered."""
    return "ignored"


def customer_changed(session: Session, event: Event) -> State:
    """The card or the address of a customer changed: their subscriptions may have, too."""
    user_id = users.of_stripe_customer(session, named(event.object, "id"))
    if user_id is None:
        return "ignored"
    _promise_subscriptions_of(session, event, user_id)
    return "handled"


def customer_deleted(session: Session, event: Event) -> State:
    """The customer is gone at Stripe, and subscriptions with them: the next purchase makes a new
    one."""
    user_id = users.forget_stripe_customer(session, named(event.object, "id"))
    if user_id is None:
        return "ignored"
    _promise_subscriptions_of(session, event, user_id)
    return "handled"


def _promise_subscriptions_of(session: Session, event: Event, user_id: str) -> None:
    for subscription in subscriptions.of_user(session, user_id):
        if subscription.status not in subscriptions.OVER:
            subscriptions.promise_sync(session, subscription.stripe_subscription_id, event.id)


HANDLERS: dict[str, Effect] = {
    "payment_intent.succeeded": payment_intent_changed,  # the money arrived: credit the pack
    "payment_intent.payment_failed": payment_intent_changed,  # declined: say why
    "payment_intent.processing": payment_intent_changed,  # a slow method: wait
    "payment_intent.requires_action": payment_intent_changed,  # 3-D Secure is asked for
    "payment_intent.canceled": payment_intent_changed,  # will never be paid
    "checkout.session.completed": checkout_session_changed,  # bought, perhaps paid later
    "checkout.session.async_payment_succeeded": checkout_session_changed,  # paid now
    "checkout.session.async_payment_failed": checkout_session_changed,  # will not be paid
    "checkout.session.expired": checkout_session_changed,  # nobody bought
    "customer.subscription.created": subscription_changed,
    "customer.subscription.updated": subscription_changed,  # renewed, changed, to be canceled
    "customer.subscription.deleted": subscription_changed,  # over
    "customer.subscription.paused": subscription_changed,
    "customer.subscription.resumed": subscription_changed,
    "customer.subscription.trial_will_end": trial_will_end,  # in three days
    "invoice.created": invoice_created,  # a draft; only the quick answer matters
    "invoice.paid": invoice_changed,  # grant the credits of its periods
    "invoice.payment_succeeded": invoice_changed,  # the same, told twice
    "invoice.payment_failed": invoice_not_paid,  # ask for another card
    "invoice.payment_action_required": invoice_not_paid,  # ask for 3-D Secure
    "invoice.voided": invoice_changed,  # nobody is asked for it any more
    "invoice.marked_uncollectible": invoice_changed,  # written off; it may still be paid
    "customer.updated": customer_changed,
    "customer.deleted": customer_deleted,  # forget the customer's id
    "refund.created": refund_changed,  # money goes back: take back its credits
    "refund.updated": refund_changed,  # it arrived, or did not
    "refund.failed": refund_changed,  # it came back to us: return the credits
    "charge.refunded": charge_refunded,  # a sum; a reminder of what we may have missed
    "charge.dispute.created": dispute_changed,  # a bank asks, or takes the money
    "charge.dispute.updated": dispute_changed,
    "charge.dispute.funds_withdrawn": dispute_changed,  # the money is gone: so are its credits
    "charge.dispute.funds_reinstated": dispute_changed,  # it is back: so are they
    "charge.dispute.closed": dispute_changed,  # won, lost, or nothing came of it
    "radar.early_fraud_warning.created": fraud_warned,  # write it down for the operator
    "radar.early_fraud_warning.updated": fraud_warned,
}


def handle(event: Event) -> Outcome:
    """Give a verified event its effect, once, however often it comes. Never calls Stripe."""
    about.bind(event_id=event.id)
    outcome = _handled(event)
    tell(event, outcome, "delivery")
    return outcome


def tell(event: Event, outcome: Outcome, way: str) -> None:
    """Log and count what became of an event that came this `way`."""
    state = "duplicate" if outcome.duplicate else outcome.state
    counting.event(event.type, state)
    if state == "handled" and way != "replay" and _credits(event):
        counting.credited(event.created, utcnow())
    log.info("event", extra=with_facts(type=event.type, outcome=state, way=way))


def _credits(event: Event) -> bool:
    """True for the event with which a payment's credits come."""
    if event.type == "payment_intent.succeeded":
        return True
    paid = (event.object.get("mode"), event.object.get("payment_status")) == ("payment", "paid")
    return paid and event.type in SESSION_STATES


def _handled(event: Event) -> Outcome:
    if event.type == "payment_intent.succeeded":
        outcome = _settle_fast(event)
        if outcome is not None:
            return outcome
    return inbox.receive(event, effect_of(event.type))


def effect_of(type: str) -> Effect:
    """What an event of this type does, whichever way it came."""
    return HANDLERS.get(type, _ignored)


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
        about.bind(payment_id=settlement.payment_id)
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
        with sqlite_transaction() as connection:
            return ledger.settle_in_steps(connection, paid)
    try:
        return _settle_at_once(paid)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _settle_at_once(paid)  # a stale connection; repeating is harmless


def _settle_at_once(paid: ledger.PaidEvent) -> ledger.Settlement:
    with at_once() as connection:
        return ledger.settle_at_once(connection, paid)
