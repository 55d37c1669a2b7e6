"""A customer's statement: what moved, why, and the payment behind it, read in one query."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.ledger import MOVEMENTS, Transfer, wallet_id
from storefront.money import format_signed
from storefront.payments import Payment


@dataclass(frozen=True)
class Line:
    """One movement of the wallet and, where one caused it, its payment."""

    transfer: Transfer
    payment: Payment | None

    @property
    def cause(self) -> str:
        """In plain words, such as: Refund of $10.00: −1,000 credits."""
        said = _MONEY_BACK.get(self.transfer.code)
        if said is None:
            return MOVEMENTS[self.transfer.code].says
        return said.format(
            money=self.transfer.note, credits=format_signed(self.transfer.signed_credits)
        )

    @property
    def note(self) -> str:
        """What there is to add to the cause."""
        return "" if self.transfer.code in _MONEY_BACK else self.transfer.note


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
    query = (
        select(Transfer, Payment)
        .outerjoin(Payment, Payment.id == Transfer.payment_id)
        .where(Transfer.wallet == wallet_id(user_id))
        .order_by(Transfer.wallet_version.desc())
        .limit(size + 1)
    )
    if before is not None:
        query = query.where(Transfer.wallet_version < before)
    lines = [Line(transfer, payment) for transfer, payment in session.execute(query)]
    more = len(lines) > size
    return Page(lines[:size], lines[size - 1].transfer.wallet_version if more else None)
