"""Granting installments of plan credits, each once, under the lock of its customer.

What was granted is never taken back by a change of plan. Where unused time gave back more than was
left of a plan, the customer owes it to the next grants: over all rows of the customer, what was
granted less what was earned. (Stripe keeps the money in the same way: an invoice below zero becomes
the customer's balance, and the next invoices take from it.)
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from storefront import ledger, users
from storefront.catalog import Catalog
from storefront.subscriptions.installments import Installment, installments, next_start
from storefront.subscriptions.tables import OVER, PlanCredit, Subscription

GRANTED_IN = ("trialing", "active", "past_due")
"""Statuses of a subscription whose installments are granted when they come due. While it is unpaid
or paused they wait, and are made up for if it recovers."""


def grant_due(session: Session, catalog: Catalog, now: datetime, limit: int = 100) -> int:
    """Grant what has come due by `now` (UTC) to the customers of at most `limit` plan credits; how
    many those were. Less than `limit` means that nothing is left.

    Of a subscription that has ended, what came due before its end is granted, and the rest never
    comes. Two workers at it together take turns, and each installment is granted once.
    """
    query = _due(now).with_only_columns(PlanCredit.user_id).limit(limit)
    user_ids = list(session.scalars(query))
    for user_id in sorted(set(user_ids)):
        users.lock(session, user_id)
        grant_until(session, catalog, user_id, now)
    return len(user_ids)


def grant_until(session: Session, catalog: Catalog, user_id: str, moment: datetime) -> None:
    """Grant a customer, who is locked, what has come due by `moment`, in the order of the dates."""
    query = _due(moment).where(PlanCredit.user_id == user_id).limit(1)
    while found := session.execute(query, execution_options={"populate_existing": True}).first():
        row, subscription = found
        assert row.next_at is not None
        if _ended(subscription, row.next_at):
            row.next_at = None
            session.flush()
        else:
            grant_next(session, catalog, row, row.next_at)


def grant_next(
    session: Session, catalog: Catalog, row: PlanCredit, happened_at: datetime
) -> None:  # fmt: skip
    """Grant the next installment of a row, less what the customer owes."""
    installment = installments(row)[row.done]
    less = min(installment.credits, owed(session, row.user_id))
    number = row.done + 1
    row.done = number
    row.earned += installment.credits
    row.granted += installment.credits - less
    row.next_at = next_start(row)
    session.flush()
    if installment.credits == less:
        return
    part = "" if number == 1 else f":{number}"
    order = ledger.Order(
        id=f"invoice:{row.id}{part}",
        code="plan_grant",
        user_id=row.user_id,
        credits=installment.credits - less,
        happened_at=happened_at,
        note=_note(catalog, row, installment, less),
        expires_at=installment.end if row.credits_expire == "period_end" else None,
    )
    ledger.transfer(session, order)


def owed(session: Session, user_id: str) -> int:
    """How many credits the customer's next grants pay off: what changes of plan gave back beyond
    what was still to be granted. Never below zero."""
    total = func.sum(PlanCredit.granted - PlanCredit.earned)
    return int(session.scalar(select(total).where(PlanCredit.user_id == user_id)) or 0)


def _due(moment: datetime) -> Select[PlanCredit, Subscription]:
    """Rows whose next installment is due and not waiting, with their subscriptions."""
    return (
        select(PlanCredit, Subscription)
        .join(
            Subscription,
            Subscription.stripe_subscription_id == PlanCredit.stripe_subscription_id,
        )
        .where(PlanCredit.next_at <= moment, _not_waiting())
        .order_by(PlanCredit.next_at, PlanCredit.id)
    )


def _not_waiting() -> ColumnElement[bool]:
    return or_(
        Subscription.status.in_(GRANTED_IN),
        and_(Subscription.status.in_(OVER), Subscription.ended_at.is_not(None)),
    )


def _ended(subscription: Subscription, moment: datetime) -> bool:
    """True when the subscription was over by then."""
    ended_at = subscription.ended_at
    return subscription.status in OVER and ended_at is not None and ended_at <= moment


def _note(catalog: Catalog, row: PlanCredit, installment: Installment, less: int) -> str:
    """Such as: Premium, 1 Jan – 1 Feb 2027, 2,000 less after a change of plan."""
    said = f"{catalog.name_of(row.plan)}, {_dates(installment.start, installment.end)}"
    return f"{said}, {less:,} less after a change of plan" if less else said


def _dates(start: datetime, end: datetime) -> str:
    year = "" if start.year == end.year else f" {start.year}"
    return f"{start:%-d %b}{year} – {end:%-d %b %Y}"
