"""Turning the lines of a paid invoice into plan credits, once.

A line for a period brings what the catalogue says of its plan, a proration its part of that. A line
for unused time is a return: it ends the row whose time it is, and gives back what that row had
earned for the time after. Returns come before grants, so they first reduce what their own invoice
brings; see granting.py for what is left of them.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import jobs, users
from storefront.catalog import Catalog, Plan
from storefront.catalog.plans import MONTHS
from storefront.db import utcnow
from storefront.stripe_gateway import InvoiceFacts, InvoiceLine
from storefront.subscriptions.granting import grant_next, grant_until
from storefront.subscriptions.installments import months, months_later, next_start, share, unused
from storefront.subscriptions.tables import Invoice, PlanCredit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sold:
    """What a price of Stripe's is the price of."""

    plan: Plan
    interval: str


Prices = Mapping[str, Sold]
"""By Stripe's id of the price. What is not in it brings no credits."""


def credit(session: Session, catalog: Catalog, prices: Prices, facts: InvoiceFacts) -> bool:
    """Bring the credits of a stored, paid invoice; False when that is done already.

    What had come due before it was paid is granted first, so that the order of the grants does not
    depend on who is late. Invoices of a customer are to be credited in the order of their payment.
    """
    invoice = session.get_one(Invoice, facts.id)
    users.lock(session, invoice.user_id)
    session.refresh(invoice)
    if invoice.credited_at is not None:
        return False
    paid_at = facts.paid_at or facts.created
    grant_until(session, catalog, invoice.user_id, paid_at)
    rows = list(_rows(session, invoice, prices, facts))
    _end_what_was_given_up(session, rows)
    for row in rows:
        if row.next_at is not None:
            grant_next(session, catalog, row, paid_at)
    grant_until(session, catalog, invoice.user_id, paid_at)
    invoice.credited_at = utcnow()
    jobs.promise(
        session, "invoice_paid", {"invoice_id": invoice.id}, key=f"invoice_paid:{invoice.id}"
    )
    return True


def _rows(
    session: Session, invoice: Invoice, prices: Prices, facts: InvoiceFacts
) -> Iterator[PlanCredit]:
    """The rows of all lines that count, by when they begin. A line of no amount brings nothing: a
    trial has one (what a coupon takes off is not in the amount)."""
    for line in sorted(facts.lines, key=lambda each: each.period_start):
        if line.amount == 0 or line.subscription_id is None:
            continue
        if line.period_start >= line.period_end:
            continue
        sold = prices.get(line.price_id or "")
        if sold is None or sold.interval not in MONTHS:
            log.warning("%s: %s is of no subscription in the catalogue", invoice.id, line.id)
            continue
        row = _row(session, invoice, sold, line)
        session.add(row)
        session.flush()
        yield row


def _row(session: Session, invoice: Invoice, sold: Sold, line: InvoiceLine) -> PlanCredit:
    row = PlanCredit(
        id=f"{invoice.id}:{line.id}",
        invoice_id=invoice.id,
        user_id=invoice.user_id,
        stripe_subscription_id=line.subscription_id,
        plan=sold.plan.code,
        interval=sold.interval,
        period_start=line.period_start,
        period_end=line.period_end,
        credits=0,
        credits_expire=sold.plan.credits_expire,
        installments=1,
        done=0,
        earned=0,
        granted=0,
    )
    row.whole_start = _whole_start(session, row) if line.proration else row.period_start
    if line.amount > 0:
        _promise_credits(row, sold, line.quantity)
    return row


def _promise_credits(row: PlanCredit, sold: Sold, quantity: int) -> None:
    """Fix what the row is going to bring: later edits of the catalogue change nothing of it."""
    credits = sold.plan.credits_granted(sold.interval) * quantity
    row.credits, row.next_at = credits, row.period_start
    part, whole = row.period_end - row.period_start, row.period_end - row.whole_start
    if credits and sold.interval == "yearly" and sold.plan.yearly_credits == "monthly":
        left = months(row.whole_start, row.period_start, row.period_end)
        row.installments = len(left)
        part, whole = left[0][1] - row.period_start, left[0][1] - left[0][0]
    if row.installments == 1:
        row.credits = share(credits, part, whole)


def _whole_start(session: Session, row: PlanCredit) -> datetime:
    """When the period began that a proration is a part of: another line of that period knows; if
    none was paid, it is counted back from the end."""
    known = session.scalar(
        select(PlanCredit.whole_start)
        .where(
            PlanCredit.stripe_subscription_id == row.stripe_subscription_id,
            PlanCredit.interval == row.interval,
            PlanCredit.period_end == row.period_end,
        )
        .order_by(PlanCredit.whole_start)
        .limit(1)
    )
    counted = months_later(row.period_end, -MONTHS[row.interval])
    return min(known or counted, row.period_start)


def _end_what_was_given_up(session: Session, rows: list[PlanCredit]) -> None:
    for subscription in sorted({row.stripe_subscription_id for row in rows}):
        _match_returns(session, subscription)
    free = [each for row in rows if row.next_at is not None for each in _free_before(session, row)]
    if free:
        session.add_all(free)
        session.flush()
        _match_returns(session, free[0].stripe_subscription_id)


def _match_returns(session: Session, subscription: str) -> None:
    """Give each return of a subscription the row whose time it ends. One that finds none waits: a
    period may be paid after the plan was changed in it, and a trial never is."""
    waiting = session.scalars(
        select(PlanCredit)
        .where(
            PlanCredit.stripe_subscription_id == subscription,
            PlanCredit.credits == 0,
            PlanCredit.done == 0,
            PlanCredit.next_at.is_(None),
        )
        .order_by(PlanCredit.period_start, PlanCredit.id)
    )
    for returned in waiting.all():
        original = _original(session, returned)
        if original is not None:
            original.ended_at = returned.period_start
            original.next_at = next_start(original)
            returned.credits = returned.earned = -unused(original, returned.period_start)
            returned.done = 1
            session.flush()


def _original(session: Session, returned: PlanCredit) -> PlanCredit | None:
    """The row whose time was given up: of the same plan and period and not ended yet. Of two that
    began in the same second as a return, the return is of neither if an earlier one is there."""
    found = session.scalars(
        select(PlanCredit)
        .where(
            PlanCredit.stripe_subscription_id == returned.stripe_subscription_id,
            PlanCredit.plan == returned.plan,
            PlanCredit.interval == returned.interval,
            PlanCredit.period_end == returned.period_end,
            PlanCredit.period_start <= returned.period_start,
            PlanCredit.credits > 0,
            PlanCredit.ended_at.is_(None),
        )
        .order_by(PlanCredit.period_start.desc(), PlanCredit.id)
    ).all()
    earlier = [each for each in found if each.period_start < returned.period_start]
    return next(iter(earlier or found), None)


def _free_before(session: Session, row: PlanCredit) -> list[PlanCredit]:
    """Returns of what this row replaces and cost nothing (a coupon took everything off): Stripe
    writes no line for unused time that gives no money back."""
    replaced = session.scalars(
        select(PlanCredit)
        .join(Invoice, Invoice.id == PlanCredit.invoice_id)
        .where(
            PlanCredit.stripe_subscription_id == row.stripe_subscription_id,
            PlanCredit.invoice_id != row.invoice_id,
            PlanCredit.period_start <= row.period_start,
            PlanCredit.period_end > row.period_start,
            PlanCredit.credits > 0,
            PlanCredit.ended_at.is_(None),
            Invoice.total == 0,
        )
    )
    return [
        PlanCredit(
            id=f"{each.id}:replaced",
            invoice_id=row.invoice_id,
            user_id=row.user_id,
            stripe_subscription_id=each.stripe_subscription_id,
            plan=each.plan,
            interval=each.interval,
            whole_start=each.whole_start,
            period_start=row.period_start,
            period_end=each.period_end,
            credits=0,
            credits_expire=each.credits_expire,
        )
        for each in replaced
    ]
