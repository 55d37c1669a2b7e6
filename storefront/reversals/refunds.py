"""Applying what Stripe says of a refund, whoever heard it."""

from datetime import datetime

from sqlalchemy.orm import Session

from storefront import jobs
from storefront.reversals import sources
from storefront.reversals.aligning import Fact, align, standing
from storefront.reversals.following import follow
from storefront.reversals.sources import Source
from storefront.reversals.tables import ACTIVE, Refund
from storefront.stripe_gateway import RefundFacts

_RANKS = {"requires_action": 0, "pending": 1, "succeeded": 2, "canceled": 3, "failed": 4}


def apply_refund(
    session: Session, facts: RefundFacts, *, happened_at: datetime | None = None
) -> Refund | None:
    """Apply what Stripe says of a refund: the one function for this effect.

    Credits are taken back once it is on its way, in proportion to the money, by the transfer
    `refund:<id>`; they return when it failed, even after it had succeeded, or was called off, by
    `refund:<id>:failed`. Its status only ever moves forward (waiting for the customer, pending,
    succeeded, over), so that any order of delivery ends alike.

    Returns None for a refund of what is unknown here. Raises Unprocessable when its currency is
    not that of the payment; nothing is changed then.
    """
    source = sources.find(session, facts.intent_id)
    if source is None:
        return None
    source.check_currency(facts.id, facts.currency)
    follow(session, source)
    claimed = standing(session, source).claimed
    refund = session.get(Refund, facts.id, populate_existing=True) or _new(session, source, facts)
    was_active = refund.status in ACTIVE
    if _rank(facts.status) > _rank(refund.status):
        refund.status = facts.status
    refund.reason = facts.reason or refund.reason
    refund.failure_reason = facts.failure_reason or refund.failure_reason
    session.flush()
    id = f"refund:{refund.id}" if refund.claim else f"refund:{refund.id}:failed"
    align(session, source, Fact(id, refund, refund.amount, claimed, happened_at))
    _promise_news(session, refund, was_active)
    return refund


def _new(session: Session, source: Source, facts: RefundFacts) -> Refund:
    """A row that claims nothing yet."""
    refund = Refund(
        id=facts.id,
        payment_id=source.payment_id,
        invoice_id=source.invoice_id,
        user_id=source.user_id,
        amount=facts.amount,
        currency=facts.currency,
        status="requires_action",
        credits_taken=0,
        credits_returned=0,
        created_at=facts.created,
    )
    session.add(refund)
    session.flush()
    return refund


def _rank(status: str) -> int:
    return _RANKS.get(status, 0)


def _promise_news(session: Session, refund: Refund, was_active: bool) -> None:
    active = refund.status in ACTIVE
    named = {"refund_id": refund.id}
    if active and not was_active:
        jobs.promise(session, "refund_made", named, key=f"refund_made:{refund.id}")
    if was_active and not active:
        jobs.promise(session, "mail_refund_failed", named, key=f"mail_refund_failed:{refund.id}")
