"""Following the grants of an invoice of which a part was given back: of each later installment that
part is taken back as well, so that it makes no difference which came first."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront import ledger
from storefront.money import format_money
from storefront.reversals import sources
from storefront.reversals.aligning import follow_up_id, standing
from storefront.reversals.sources import Source
from storefront.reversals.tables import InvoiceClaim
from storefront.subscriptions import PlanCredit


def invoices_to_follow(session: Session, limit: int) -> list[str]:
    """At most `limit` invoices of which money went back, and which have brought more since."""
    granted = (
        select(func.coalesce(func.sum(PlanCredit.granted), 0))
        .where(PlanCredit.invoice_id == InvoiceClaim.invoice_id)
        .scalar_subquery()
    )
    query = select(InvoiceClaim.invoice_id).where(InvoiceClaim.granted < granted)
    return list(session.scalars(query.order_by(InvoiceClaim.invoice_id).limit(limit)))


def follow_grants(session: Session, invoice_id: str) -> None:
    """Take back the claimed part of what an invoice has brought since this was last done; nothing
    where no money went back."""
    if session.get(InvoiceClaim, invoice_id) is not None:
        follow(session, sources.of_invoice(session, invoice_id))


def follow(session: Session, source: Source) -> None:
    """The same for an invoice that is locked already; nothing for a payment, which brings all of
    its credits at once."""
    if source.invoice_id is None:
        return
    seen = session.get(InvoiceClaim, source.invoice_id, populate_existing=True)
    if seen is None:
        session.add(InvoiceClaim(invoice_id=source.invoice_id, granted=source.credits))
        session.flush()
    elif seen.granted < source.credits:
        _take_part(session, source, seen)


def _take_part(session: Session, source: Source, seen: InvoiceClaim) -> None:
    assert source.invoice_id is not None
    now = standing(session, source)
    seen.granted = source.credits
    order = ledger.Order(
        id=follow_up_id(source.invoice_id, seen.follow_ups + 1),
        code="refund" if now.refunded else "dispute",
        user_id=source.user_id,
        credits=source.taken_back(now.claimed),
        note=format_money(min(now.claimed, source.received), source.currency),
        take_from=source.grants,
    )
    made = ledger.take_back(session, order, taken=now.taken)
    if made is not None:
        seen.follow_ups += 1
        seen.credits_taken += made.credits
    session.flush()
