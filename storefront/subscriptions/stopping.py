"""Installments that are still to come of an invoice, stopped while all of its money is back with
the customer."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.subscriptions.installments import next_start
from storefront.subscriptions.tables import PlanCredit


def stop_installments(session: Session, invoice_id: str) -> None:
    """Nothing more comes of this invoice's lines. The customer is to be locked."""
    for line in _lines(session, invoice_id):
        line.next_at = None
    session.flush()


def resume_installments(session: Session, invoice_id: str) -> None:
    """What was stopped comes after all, each installment at its time. The customer is to be
    locked."""
    for line in _lines(session, invoice_id):
        line.next_at = next_start(line)
    session.flush()


def _lines(session: Session, invoice_id: str) -> list[PlanCredit]:
    """Those that bring credits, and have some left to bring."""
    query = select(PlanCredit).where(
        PlanCredit.invoice_id == invoice_id,
        PlanCredit.credits > 0,
        PlanCredit.done < PlanCredit.installments,
    )
    return list(session.scalars(query))
