"""Applying what Stripe says of a dispute, whoever heard it."""

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from storefront import jobs
from storefront.db import utcnow
from storefront.reversals import sources
from storefront.reversals.aligning import Fact, align, show, standing
from storefront.reversals.following import follow
from storefront.reversals.sources import Source
from storefront.reversals.tables import CLOSED, Dispute
from storefront.stripe_gateway import DisputeFacts

_ORDER = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "prevented",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
    "won",
)
_RANKS = {status: rank for rank, status in enumerate(_ORDER)}
_APPEALS = ("appeal_needs_response", "appeal_under_review")

log = logging.getLogger(__name__)


def apply_dispute(
    session: Session,
    facts: DisputeFacts,
    *,
    withdrawn: bool = False,
    reinstated: bool = False,
    asked: bool = False,
    happened_at: datetime | None = None,
) -> Dispute | None:
    """Apply what Stripe says of a dispute: the one function for this effect.

    Money moves by two facts, each once: `withdrawn` takes credits back by the transfer
    `dispute:<id>:withdrawn`, `reinstated` returns them by `dispute:<id>:reinstated`, in part when
    only a part of the money came. The status tells how the dispute stands and moves nothing, so
    that an inquiry moves nothing either; it only goes forward. `asked` means that Stripe was asked
    just now: then its word also says how an appeal ended, and what its balance transactions show
    has moved.

    Returns None for a dispute of what is unknown here. Raises Unprocessable when its currency is
    not that of the payment; nothing is changed then.
    """
    source = sources.find(session, facts.intent_id)
    if source is None:
        return None
    source.check_currency(facts.id, facts.currency)
    follow(session, source)
    known = session.get(Dispute, facts.id, populate_existing=True)
    dispute = known or _new(session, source, facts)
    _tell_status(dispute, facts, asked)
    if withdrawn or (asked and facts.withdrawn):
        _withdraw(session, source, dispute, facts, happened_at)
    if reinstated or (asked and facts.reinstated):
        _reinstate(session, source, dispute, facts, happened_at)
    if known is None:
        show(session, source)
    return dispute


def _new(session: Session, source: Source, facts: DisputeFacts) -> Dispute:
    dispute = Dispute(
        id=facts.id,
        payment_id=source.payment_id,
        invoice_id=source.invoice_id,
        user_id=source.user_id,
        amount=facts.amount,
        currency=facts.currency,
        status=facts.status,
        withdrawn=0,
        reinstated=0,
        credits_taken=0,
        credits_returned=0,
        created_at=facts.created,
    )
    session.add(dispute)
    session.flush()
    ours = source.payment_id or source.invoice_id
    log.warning("dispute %s (%s) of %s: %s", facts.id, facts.reason, ours, facts.status)
    return dispute


def _tell_status(dispute: Dispute, facts: DisputeFacts, asked: bool) -> None:
    ended = asked and dispute.status in _APPEALS and facts.status in CLOSED
    if _rank(facts.status) >= _rank(dispute.status) or ended:
        dispute.status, dispute.due_by = facts.status, facts.due_by
        closed = facts.status in CLOSED
        dispute.closed_at = (dispute.closed_at or utcnow()) if closed else None
    dispute.reason = facts.reason or dispute.reason


def _withdraw(
    session: Session,
    source: Source,
    dispute: Dispute,
    facts: DisputeFacts,
    happened_at: datetime | None,
) -> None:
    if dispute.withdrawn:
        return
    claimed = standing(session, source).claimed
    dispute.amount = dispute.withdrawn = facts.amount
    dispute.withdrawn_at = happened_at or utcnow()
    session.flush()
    id = f"dispute:{dispute.id}:withdrawn"
    align(session, source, Fact(id, dispute, dispute.withdrawn, claimed, happened_at))
    if dispute.claim:
        key = f"mail_dispute:{dispute.id}"
        jobs.promise(session, "mail_dispute", {"dispute_id": dispute.id}, key=key)


def _reinstate(
    session: Session,
    source: Source,
    dispute: Dispute,
    facts: DisputeFacts,
    happened_at: datetime | None,
) -> None:
    """All of it, unless Stripe's balance transactions show less."""
    if dispute.reinstated:
        return
    claimed = standing(session, source).claimed
    dispute.reinstated = min(facts.reinstated or facts.amount, facts.amount)
    dispute.reinstated_at = happened_at or utcnow()
    session.flush()
    id = f"dispute:{dispute.id}:reinstated"
    align(session, source, Fact(id, dispute, dispute.reinstated, claimed, happened_at))


def _rank(status: str) -> int:
    """One that we do not know yet stands before all others."""
    return _RANKS.get(status, -1)
