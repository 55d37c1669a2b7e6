"""Charges, and the balance transactions of charges, refunds and disputes, against what our rows say
was received and went back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from storefront.payments import Payment
from storefront.reconciling import disputing, paying, refunding
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import of_customers
from storefront.reconciling.reversing import Sources
from storefront.reconciling.walking import Walk, again
from storefront.reversals import Dispute, Refund
from storefront.stripe_gateway import (
    BalanceMovement,
    CapturedCharge,
    DisputeFacts,
    Listed,
    RefundFacts,
)
from storefront.subscriptions import Invoice

T = TypeVar("T", Refund, Dispute)
Moved = CapturedCharge | RefundFacts | DisputeFacts

Reach = tuple[int, int]
"""The least and the most that may be refunded of something, by our rows of its refunds."""


def compare(look: Look, items: Sequence[Listed[CapturedCharge]]) -> list[Difference]:
    session = look.session
    charges = [it.facts for it in items if it.facts.captured]
    sources = Sources.read(session, [it.intent_id for it in charges])
    reaches = _reaches(session, sources)
    found: list[Difference] = []
    for charge in charges:
        source = sources.of(charge.intent_id)
        if source is not None and not look.seen.noted(source.id):  # else it is told already
            found += _of_charge(source, charge, reaches.get(source.id, (0, 0)))
    for intent_id in _paid_late(look, sources, charges):
        found += again(look, paying.WALK, intent_id)
    return found


def compare_movements(look: Look, items: Sequence[Listed[BalanceMovement]]) -> list[Difference]:
    """What moved on the balance, each against our row of its source. A source from before the
    window is compared as its own list would: so what happens late to an old payment is seen."""
    for movement in (it.facts for it in items):
        fees = look.tally.fees
        fees[movement.currency] = fees.get(movement.currency, 0) + movement.fee
    charges, refunds, disputes = _sources(items)
    found = [
        *compare(look, [it for it in charges if not look.window.holds(it.created)]),
        *refunding.compare(look, [it for it in refunds if not look.window.holds(it.created)]),
        *disputing.compare(look, [it for it in disputes if not look.window.holds(it.created)]),
    ]
    told = {it.stripe_id for it in found} | {it.our_id for it in found}
    return found + [it for it in _amounts(look, items) if it.our_id not in told]


def _of_charge(
    source: Payment | Invoice, charge: CapturedCharge, reach: Reach
) -> Iterator[Difference]:
    about = _about(source, charge)
    received = _received(source)
    least, most = reach
    if received not in (None, charge.captured):
        yield _amount(about, charge.captured, received or 0, charge.id)
    elif not least <= charge.refunded <= most:
        what = f"{charge.id} was refunded by another sum than our refunds of it"
        figures = replace(about, theirs=charge.refunded, ours=most, kind="refund_missing")
        yield replace(figures, what=what)
    elif isinstance(source, Payment) and not least <= source.amount_refunded <= most:
        what = "the payment shows another sum than its refunds"
        figures = replace(about, theirs=charge.refunded, ours=source.amount_refunded)
        yield replace(figures, what=what)


def _paid_late(look: Look, sources: Sources, charges: Sequence[CapturedCharge]) -> list[str]:
    """Intents that are older than the window, were paid in it, and are not known to be paid."""
    users = of_customers(look.session, [it.customer_id for it in charges])
    candidates = []
    for charge in charges:
        source = sources.of(charge.intent_id)
        ours = source is not None or charge.customer_id in users
        if charge.intent_id is not None and ours and not _is_settled(source):
            candidates.append(charge.intent_id)
    return look.seen.unseen(candidates)


def _is_settled(source: Payment | Invoice | None) -> bool:
    if isinstance(source, Invoice):
        return source.credited_at is not None
    return source is not None and source.status == paying.PAID


def _sources(
    items: Sequence[Listed[BalanceMovement]],
) -> tuple[list[Listed[CapturedCharge]], list[Listed[RefundFacts]], list[Listed[DisputeFacts]]]:
    charges: list[Listed[CapturedCharge]] = []
    refunds: list[Listed[RefundFacts]] = []
    disputes: list[Listed[DisputeFacts]] = []
    for source in (it.facts.source for it in items):
        if source is None:
            continue
        if isinstance(source.facts, CapturedCharge):
            charges.append(replace(source, facts=source.facts))
        elif isinstance(source.facts, RefundFacts):
            refunds.append(replace(source, facts=source.facts))
        else:
            disputes.append(replace(source, facts=source.facts))
    return charges, refunds, disputes


def _amounts(look: Look, items: Sequence[Listed[BalanceMovement]]) -> Iterator[Difference]:
    """Movements of another amount than our row of their source has. One in the account's own
    currency, at the rate of its day, cannot be compared."""
    session = look.session
    _, refunds, disputes = _sources(items)
    moved = [_moved_by(it.facts) for it in items]
    intents = [facts.intent_id for facts in moved if facts is not None]
    sources = Sources.read(session, intents)
    refund_rows = _rows(session, Refund, [it.facts.id for it in refunds])
    dispute_rows = _rows(session, Dispute, [it.facts.id for it in disputes])
    for movement, facts in zip((it.facts for it in items), moved, strict=True):
        source = sources.of(facts.intent_id) if facts else None
        if facts is None or source is None or facts.currency != movement.currency:
            continue
        if look.seen.noted(facts.id) or look.seen.noted(source.id):
            continue
        row = refund_rows.get(facts.id) or dispute_rows.get(facts.id) or source
        ours = _moved(row, movement.amount)
        if ours not in (None, abs(movement.amount)):
            yield _amount(_about(source, facts), abs(movement.amount), ours or 0, movement.id)


def _moved_by(movement: BalanceMovement) -> Moved | None:
    if movement.source is None:
        return None
    return movement.source.facts


def _moved(row: Payment | Invoice | Refund | Dispute, amount: int) -> int | None:
    """What our row says that such a movement moved; None where it does not say."""
    if isinstance(row, Refund):
        return row.amount
    if isinstance(row, Dispute):
        return row.withdrawn if amount < 0 else row.reinstated
    return _received(row) if amount > 0 else None


def _received(source: Payment | Invoice) -> int | None:
    """What one charge should have brought; None where we do not know it to be paid, or where
    several charges may have."""
    if isinstance(source, Payment):
        return source.amount_received if source.status == "succeeded" else None
    return None


def _reaches(session: Session, sources: Sources) -> dict[str, Reach]:
    """A refund that succeeded counts for sure; one on its way, or waiting, may."""
    found: dict[str, Reach] = {}
    sure = func.sum(case((Refund.status == "succeeded", Refund.amount), else_=0))
    perhaps = func.sum(case((Refund.status.in_(("failed", "canceled")), 0), else_=Refund.amount))
    for column, ids in (
        (Refund.payment_id, [it.id for it in sources.payments.values()]),
        (Refund.invoice_id, [it.id for it in sources.invoices.values()]),
    ):
        query = select(column, sure, perhaps).where(column.in_(ids)).group_by(column)
        found |= {id: (int(least), int(most)) for id, least, most in session.execute(query) if id}
    return found


def _rows(session: Session, table: type[T], ids: Sequence[str]) -> dict[str, T]:
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(ids)))}


def _about(source: Payment | Invoice, facts: Moved) -> Difference:
    """What every difference of money that moved says."""
    assert facts.intent_id is not None
    of_charge = isinstance(facts, CapturedCharge)
    return Difference(
        "amount_differs",
        money=True,
        what="",
        stripe_id=facts.intent_id if of_charge else facts.id,
        our_id=source.id,
        user_id=source.user_id,
        unit=facts.currency,
        remedy=Remedy("reversals", facts.intent_id),
        changed_at=source.updated_at,
    )


def _amount(about: Difference, theirs: int, ours: int, moved_by: str) -> Difference:
    return replace(about, what=f"moved by {moved_by}", theirs=theirs, ours=ours)


CHARGES = Walk[CapturedCharge](
    "charges", lambda look, after: look.gateway.page_of_charges(look.window, after), compare
)
MOVEMENTS = Walk[BalanceMovement](
    "balance transactions",
    lambda look, after: look.gateway.page_of_movements(look.window, after),
    compare_movements,
)
