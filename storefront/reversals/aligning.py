"""Bringing credits in line with the money that is claimed back: the end of every fact."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from storefront import ledger, subscriptions
from storefront.money import format_money
from storefront.reversals.sources import Source
from storefront.reversals.tables import Dispute, InvoiceClaim, Refund


@dataclass(frozen=True)
class Standing:
    """All that is claimed of a source, and what was taken back of its credits."""

    refunds: list[Refund]
    disputes: list[Dispute]
    followed: InvoiceClaim | None

    @property
    def claimed(self) -> int:
        """May be more than was received: a refund on its way, and a dispute."""
        return self.refunded + self.disputed

    @property
    def refunded(self) -> int:
        return sum(refund.claim for refund in self.refunds)

    @property
    def disputed(self) -> int:
        return sum(dispute.claim for dispute in self.disputes)

    @property
    def taken(self) -> int:
        """Credits taken and not returned."""
        later = self.followed.credits_taken if self.followed else 0
        return later + sum(row.credits_taken for row in self._rows) - self.returned

    @property
    def returned(self) -> int:
        return sum(row.credits_returned for row in self._rows)

    @property
    def takings(self) -> list[str]:
        """The transfers that may have taken credits."""
        found = [f"refund:{it.id}" for it in self.refunds]
        found += [f"dispute:{it.id}:withdrawn" for it in self.disputes]
        if self.followed:
            numbers = range(1, self.followed.follow_ups + 1)
            found += [follow_up_id(self.followed.invoice_id, number) for number in numbers]
        return found

    @property
    def _rows(self) -> list[Refund | Dispute]:
        return [*self.refunds, *self.disputes]


@dataclass(frozen=True)
class Fact:
    """Something that changed what is claimed: `id` becomes the transfer's, `row` is whose fact it
    is, `amount` the money it is about, `claimed_before` what was claimed of the source until then.
    """

    id: str
    row: Refund | Dispute
    amount: int
    claimed_before: int
    happened_at: datetime | None

    @property
    def code(self) -> str:
        return "refund" if isinstance(self.row, Refund) else "dispute"

    @property
    def note(self) -> str:
        """The money, for the customer's statement."""
        return format_money(self.amount, self.row.currency)


def follow_up_id(invoice_id: str, number: int) -> str:
    return f"invoice:{invoice_id}:reversed:{number}"


def standing(session: Session, source: Source) -> Standing:
    """What is claimed of a source that is locked."""
    followed = session.get(InvoiceClaim, source.invoice_id) if source.invoice_id else None
    return Standing(
        list(session.scalars(select(Refund).where(_of(Refund, source)).order_by(Refund.id))),
        list(session.scalars(select(Dispute).where(_of(Dispute, source)).order_by(Dispute.id))),
        followed,
    )


def show(session: Session, source: Source) -> None:
    """Have the payment or the invoice show what is claimed of it."""
    _show(session, source, standing(session, source))


def align(session: Session, source: Source, fact: Fact) -> None:
    """Take back or return credits, so that as many are back as the claims of now are worth.

    How many depends on the sum of the claims alone, so any order of the same facts ends alike.
    Keeps what the payment or the invoice shows of it as well.
    """
    now = standing(session, source)
    before, after = (source.taken_back(it) for it in (fact.claimed_before, now.claimed))
    if after > before:
        _take(session, source, fact, after, now.taken)
    elif after < before:
        _give(session, source, fact, min(now.taken, before - after), now)
    _show(session, source, now)


def _take(session: Session, source: Source, fact: Fact, target: int, taken: int) -> None:
    order = ledger.Order(
        id=fact.id,
        code=fact.code,
        user_id=source.user_id,
        credits=target,
        happened_at=fact.happened_at,
        payment_id=source.payment_id,
        note=fact.note,
        take_from=source.grants,
    )
    made = ledger.take_back(session, order, taken=taken)
    fact.row.credits_taken += made.credits if made else 0
    session.flush()


def _give(session: Session, source: Source, fact: Fact, credits: int, now: Standing) -> None:
    if credits <= 0:
        return
    order = ledger.Order(
        id=fact.id,
        code=f"{fact.code}_reversed",
        user_id=source.user_id,
        credits=credits,
        happened_at=fact.happened_at,
        payment_id=source.payment_id,
        note=fact.note,
    )
    ledger.give_back(session, order, of=now.takings, returned=now.returned)
    fact.row.credits_returned += credits
    session.flush()


def _show(session: Session, source: Source, now: Standing) -> None:
    if source.payment is not None:
        source.payment.amount_refunded = now.refunded
        source.payment.amount_disputed = now.disputed
        source.payment.reversals = len(now.refunds) + len(now.disputes)
    if source.invoice_id is not None:
        if now.claimed >= source.received:
            subscriptions.stop_installments(session, source.invoice_id)
        else:
            subscriptions.resume_installments(session, source.invoice_id)
    session.flush()


def _of(table: type[Refund] | type[Dispute], source: Source) -> ColumnElement[bool]:
    if source.payment_id is not None:
        return table.payment_id == source.payment_id
    return table.invoice_id == source.invoice_id
