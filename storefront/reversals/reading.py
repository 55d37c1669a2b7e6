"""Reading what flowed back: nothing here asks Stripe, and nothing is locked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from storefront.payments import Payment
from storefront.reversals.tables import ACTIVE, Dispute, FraudWarning, Refund
from storefront.subscriptions import Invoice

T = TypeVar("T", Refund, Dispute)


@dataclass(frozen=True)
class Reversals:
    """Refunds and disputes, each newest first."""

    refunds: list[Refund]
    disputes: list[Dispute]

    def __iter__(self) -> Iterator[Refund | Dispute]:
        """All of them, the newest first."""
        both: list[Refund | Dispute] = [*self.refunds, *self.disputes]
        return iter(sorted(both, key=lambda row: (row.created_at, row.id), reverse=True))


def of_payment(session: Session, payment_id: str) -> Reversals:
    """What went back of a payment."""
    return Reversals(
        _newest(session, Refund, Refund.payment_id == payment_id),
        _newest(session, Dispute, Dispute.payment_id == payment_id),
    )


def of_invoice(session: Session, invoice_id: str) -> Reversals:
    """What went back of a subscription's invoice."""
    return Reversals(
        _newest(session, Refund, Refund.invoice_id == invoice_id),
        _newest(session, Dispute, Dispute.invoice_id == invoice_id),
    )


def open_disputes(session: Session, limit: int = 100) -> list[Dispute]:
    """For operators: disputes and inquiries that are not settled, the newest first."""
    return _newest(session, Dispute, Dispute.closed_at.is_(None), limit)


def fraud_warnings(session: Session, limit: int = 100) -> list[FraudWarning]:
    """For operators: what issuers suspect, the newest first."""
    newest = (FraudWarning.created_at.desc(), FraudWarning.id.desc())
    return list(session.scalars(select(FraudWarning).order_by(*newest).limit(limit)))


def refunded_of(session: Session, intent_id: str) -> int | None:
    """How much we know to be refunded, or on its way, of what a payment intent paid, in minor
    units; None when we know of no such payment."""
    payment_id = session.scalar(select(Payment.id).where(Payment.stripe_intent_id == intent_id))
    if payment_id is not None:
        return _sum_of_refunds(session, Refund.payment_id == payment_id)
    paid = select(Invoice.id).where(Invoice.stripe_intent_id == intent_id).limit(1)
    invoice_id = session.scalar(paid)
    if invoice_id is not None:
        return _sum_of_refunds(session, Refund.invoice_id == invoice_id)
    return None


def _sum_of_refunds(session: Session, condition: ColumnElement[bool]) -> int:
    active = select(func.sum(Refund.amount)).where(condition, Refund.status.in_(ACTIVE))
    return int(session.scalar(active) or 0)


def _newest(
    session: Session, table: type[T], condition: ColumnElement[bool], limit: int | None = None
) -> list[T]:
    newest = select(table).where(condition).order_by(table.created_at.desc(), table.id.desc())
    return list(session.scalars(newest.limit(limit)))
