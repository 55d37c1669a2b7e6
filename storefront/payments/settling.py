"""Applying what Stripe says of an intent to its payment, whoever heard it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from storefront import jobs, ledger
from storefront.db import transaction, utcnow
from storefront.errors import Unprocessable
from storefront.payments.tables import UNPAID, Payment
from storefront.stripe_gateway import Intent, StripeGateway
from storefront.users import User

ASKING_INTERVAL = timedelta(seconds=2)

_RANKS = {status: rank for rank, status in enumerate((*UNPAID, "processing"))}
_FAILED_RANK, _CANCELED_RANK = 10, 11


def settle(
    session: Session, intent: Intent, *, asked: bool = False, happened_at: datetime | None = None
) -> Payment | None:
    """Apply what Stripe says of an intent to its payment: the one function for this effect.

    A success credits the pack, once, by the transfer id `payment:<id>`, and promises what follows
    a settled payment (the receipt). Nothing undoes a success.
    Among unpaid states an event only ever moves the row forward, so that any order of delivery
    ends alike; `asked` means that Stripe was asked just now, and then its word simply stands.
    Returns None for an intent that is not ours, or that no payment goes on with.
    Raises Unprocessable when money came in that contradicts our row; nothing is changed then.
    """
    payment = _row_of(session, intent)
    if payment is None:
        return None
    if intent.status == "succeeded":
        _credit(session, payment, intent, happened_at)
    elif payment.status != "succeeded" and (asked or _stage(intent) > _stage(payment)):
        payment.status = intent.status
        payment.failure_code = intent.failure_code
        payment.failure_message = intent.failure_message
    session.flush()
    return payment


def refresh(gateway: StripeGateway, payment: Payment) -> None:
    """Ask Stripe what is true of an open payment, and apply it as a webhook would; at most once
    in ASKING_INTERVAL, so that a polling page cannot become a load on Stripe.

    Raises the gateway's errors, and Unprocessable as settle() does.
    """
    idle = abs(utcnow() - payment.updated_at)  # written by a clock that is ahead, perhaps
    if payment.kind == "purchase":  # by checkouts.refresh()
        return
    if payment.final or payment.stripe_intent_id is None or idle < ASKING_INTERVAL:
        return
    intent = gateway.retrieve_payment_intent(payment.stripe_intent_id)
    with transaction() as session:
        settle(session, intent, asked=True)
        payment.updated_at = utcnow()


def _credit(
    session: Session, payment: Payment, intent: Intent, happened_at: datetime | None
) -> None:
    if intent.amount_received != payment.amount_cents:
        raise Unprocessable(
            f"{intent.id}: received {intent.amount_received} {intent.currency}, "
            f"but payment {payment.id} costs {payment.amount_cents} {payment.currency}."
        )
    payment.status = "succeeded"
    payment.amount_received = intent.amount_received
    payment.failure_code = payment.failure_message = None
    if ledger.find_transfer(session, f"payment:{payment.id}"):
        return
    ledger.transfer(
        session,
        ledger.Order(
            id=f"payment:{payment.id}",
            code="top_up",
            user_id=payment.user_id,
            credits=payment.credits,
            happened_at=happened_at,
            payment_id=payment.id,
        ),
    )
    promise_settled(session, payment)


def promise_settled(session: Session, payment: Payment) -> None:
    """Have done what follows a settled payment: the receipt and the rest. (The hot path writes the
    same row.)"""
    jobs.promise(
        session,
        "payment_settled",
        {"payment_id": payment.id},
        key=f"payment_settled:{payment.id}",
    )


def _row_of(session: Session, intent: Intent) -> Payment | None:
    """The intent's payment, locked. A row that does not know its intent yet (we died, or are
    still, between the call and its answer) is found by our id in the metadata, and linked.
    A purchase is not settled by its intent: only its Checkout Session says what was bought."""
    payment = _locked(session, Payment.stripe_intent_id == intent.id)
    if payment is not None and payment.kind == "purchase":
        return None
    if payment is None and intent.payment_id is None:
        return None
    if payment is None:
        payment = _locked(session, Payment.id == intent.payment_id)
    contradiction = _contradiction(session, payment, intent)
    if payment is None or contradiction:
        if intent.status == "succeeded":
            raise Unprocessable(f"{intent.id}: {contradiction}")
        return None  # an intent whose creation was answered with a 500, and given up
    payment.stripe_intent_id = intent.id
    return payment


def _locked(session: Session, condition: ColumnElement[bool]) -> Payment | None:
    query = select(Payment).where(condition).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _contradiction(session: Session, payment: Payment | None, intent: Intent) -> str | None:
    """What of the intent does not fit its payment, in one sentence; None when all of it fits."""
    if payment is None:
        return f"its payment {intent.payment_id} is unknown here."
    customer_id = session.scalar(select(User.stripe_customer_id).where(User.id == payment.user_id))
    theirs = (intent.id, intent.amount, intent.currency, intent.customer_id)
    known_id = payment.stripe_intent_id or intent.id
    ours = (known_id, payment.amount_cents, payment.currency, customer_id)
    if theirs == ours:
        return None
    return f"{_facts(theirs)} does not fit payment {payment.id}: {_facts(ours)}."


def _facts(values: tuple[str, int, str, str | None]) -> str:
    intent_id, amount, currency, customer_id = values
    return f"{intent_id} of {amount} {currency} for customer {customer_id}"


def _stage(it: Payment | Intent) -> tuple[int, str, str]:
    """How far a payment has come, as a total order: whichever event comes last, the highest
    stands. A failed attempt ranks above the states that led to it."""
    if it.status == "canceled":
        rank = _CANCELED_RANK
    elif it.failure_code is not None:
        rank = _FAILED_RANK
    else:
        rank = _RANKS.get(it.status, 0)
    return rank, it.failure_code or "", it.failure_message or ""
