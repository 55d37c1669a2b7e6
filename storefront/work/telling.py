"""How things are called where customers and reports are told of them."""

from datetime import datetime

from sqlalchemy.orm import Session

from storefront.ledger import Transfer
from storefront.payments import Payment


def paid_at(session: Session, payment: Payment) -> datetime:
    """When a settled payment was paid, as its transfer says; a purchase may bring no credits, and
    then it has none."""
    transfer = session.get(Transfer, f"payment:{payment.id}")
    return transfer.happened_at if transfer else payment.updated_at


def day(moment: datetime) -> str:
    return f"{moment:%-d %B %Y}"


def minute(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"
