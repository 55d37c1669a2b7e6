"""What went back of a payment, in a customer's words."""

from dataclasses import dataclass
from datetime import datetime

from storefront import reversals
from storefront.db import db
from storefront.money import format_money
from storefront.payments import Payment
from storefront.reversals import Dispute, Refund

_REFUNDS = {
    "requires_action": "Refund of {money}: waiting for you, see the mail about it",
    "pending": "Refund of {money}: on its way",
    "succeeded": "Refund of {money}",
    "failed": "Refund of {money}: failed, your bank did not take it",
    "canceled": "Refund of {money}: called off",
}


@dataclass(frozen=True)
class Line:
    """One refund or dispute, and when it began."""

    text: str
    moment: datetime


def lines(payment: Payment) -> list[Line]:
    """Refunds and disputes of a payment, newest first; no query where there are none."""
    if payment.reversals == 0:
        return []
    found = reversals.of_payment(db.session(), payment.id)
    return [Line(_text(row), row.created_at) for row in found]


def _text(row: Refund | Dispute) -> str:
    said = (
        _REFUNDS.get(row.status, "Refund of {money}") if isinstance(row, Refund) else _dispute(row)
    )
    return said.format(money=format_money(row.amount, row.currency))


def _dispute(row: Dispute) -> str:
    """Where the money is says more than Stripe's word for the state."""
    if row.status == "won" or row.reinstated:
        return "Dispute of {money}: settled, your payment stands"
    if row.is_inquiry or row.status == "prevented":
        closed = row.closed_at is not None
        return "Your bank asked about {money}" + (": settled, nothing changes" if closed else "")
    if row.status == "lost":
        return "Dispute of {money}: your bank keeps the money for you"
    return "Dispute of {money}: your bank has taken it back until it has decided"
