"""A customer's statement: what moved, why, and the payment behind it, read in one query."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, select
from sqlalchemy.orm import Session

from storefront.db import MAX_WHOLE
from storefront.ledger import MOVEMENTS, Transfer, wallet_id
from storefront.money import format_signed
from storefront.payments import Payment


@dataclass(slots=True)  # frozen would take three times as long to make
class Line:
    """One movement of the wallet: the transfer of this `id`, its credits below zero when they left;
    and, where a payment caused it, that payment's money."""

    id: str
    code: str
    note: str
    credits: int
    balance_after: int
    wallet_version: int
    happened_at: datetime
    payment_id: str | None
    amount_cents: int | None
    currency: str | None

    @property
    def cause(self) -> str:
        """In plain words, such as: Refund of $10.00: −1,000 credits."""
        said = _MONEY_BACK.get(self.code)
        if said is None:
            return MOVEMENTS[self.code].says
        return said.format(money=self.note, credits=format_signed(self.credits))

    @property
    def remark(self) -> str:
        """What there is to add to the cause."""
        return "" if self.code in _MONEY_BACK else self.note


_MONEY_BACK = {
    "refund": "Refund of {money}: {credits} credits",
    "refund_reversed": "Refund of {money} failed: {credits} credits returned",
    "dispute": "Payment disputed, {money} withdrawn: {credits} credits",
    "dispute_reversed": "Dispute settled, {money} given back: {credits} credits returned",
}
"""The note of these movements is the money that moved with the credits."""


@dataclass(frozen=True)
class Page:
    """Lines, newest first; `older_than` asks for the next page, None when this is the last."""

    lines: list[Line]
    older_than: int | None


def page(session: Session, user_id: str, *, before: int | None = None, size: int = 20) -> Page:
    """At most `size` movements; `before` is the `older_than` of the page before (keyset paging:
    page 1,000 costs what page 1 costs, and new movements shift nothing)."""
    asked = {"wallet": wallet_id(user_id), "before": before or MAX_WHOLE, "limit": size + 1}
    lines = [Line(*row) for row in session.execute(_LINES, asked)]
    more = len(lines) > size
    return Page(lines[:size], lines[size - 1].wallet_version if more else None)


_LINES = (
    select(
        Transfer.id,
        Transfer.code,
        Transfer.note,
        case((Transfer.target == Transfer.wallet, Transfer.credits), else_=-Transfer.credits),
        Transfer.balance_after,
        Transfer.wallet_version,
        Transfer.happened_at,
        Transfer.payment_id,
        Payment.amount_cents,
        Payment.currency,
    )
    .outerjoin(Payment, Payment.id == Transfer.payment_id)
    .where(Transfer.wallet == bindparam("wallet"))
    .where(Transfer.wallet_version < bindparam("before"))
    .order_by(Transfer.wallet_version.desc())
    .limit(bindparam("limit"))
)
"""In the order of a Line's fields. Put together once, and read as plain rows: two objects for each
of twenty lines took longer than all the rest of the page."""
