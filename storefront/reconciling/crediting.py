"""Transfers that nothing founds: credits that came with no payment, or went with no refund."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront.ledger import Transfer
from storefront.payments import Payment
from storefront.reconciling.difference import CREDITS, Difference
from storefront.reconciling.look import Look
from storefront.reconciling.walking import ROWS, in_window
from storefront.reversals import Dispute, InvoiceClaim, Refund
from storefront.subscriptions import PlanCredit

FOUNDED = (
    "top_up", "purchase", "plan_grant", "refund", "refund_reversed", "dispute", "dispute_reversed",
)  # fmt: skip
"""Movements that money founds. What is used, expires or is corrected by hand has other causes."""

INCOMING = ("top_up", "purchase", "plan_grant", "refund_reversed", "dispute_reversed")


@dataclass(frozen=True)
class Cause:
    """What a transfer's id says that it is for: a row of `kind`. `object_id` is what Stripe, or our
    row of a payment, calls it."""

    kind: str
    row_id: str
    object_id: str


def unfounded(look: Look) -> Iterator[Difference]:
    """Every transfer whose cause is not here. What Stripe's lists have told of already, such as a
    payment whose row is gone, is not told again."""
    after = ""
    while transfers := _some(look, after):
        after = transfers[-1].id
        there = _there(look.session, [cause_of(it.id) for it in transfers])
        suspects = [_difference(it) for it in transfers if cause_of(it.id) not in there]
        yield from look.told(it for it in suspects if not _is_told(look, it.our_id or ""))


def cause_of(transfer_id: str) -> Cause | None:
    """None for an id that no movement of money has."""
    kind, _, rest = transfer_id.partition(":")
    parts = rest.split(":")
    if kind == "payment" and len(parts) == 1:
        return Cause("payment", rest, rest)
    if kind in ("refund", "dispute"):
        return Cause(kind, parts[0], parts[0])
    if kind == "invoice" and len(parts) >= 2:
        follow_up = parts[1] == "reversed"
        row_id = parts[0] if follow_up else ":".join(parts[:2])
        return Cause("claim" if follow_up else "line", row_id, parts[0])
    return None


def _some(look: Look, after: str) -> Sequence[Transfer]:
    query = select(Transfer).where(Transfer.id > after, Transfer.code.in_(FOUNDED))
    inside = query.where(*in_window(look, Transfer.created_at))
    return look.session.scalars(inside.order_by(Transfer.id).limit(ROWS)).all()


def _there(session: Session, causes: Sequence[Cause | None]) -> set[Cause | None]:
    """Those of these causes that have their row."""
    found: set[Cause | None] = set()
    for kind, column in _COLUMNS.items():
        mine = {it.row_id: it for it in causes if it is not None and it.kind == kind}
        if mine:
            ids = session.scalars(select(column).where(column.in_(mine)))
            found |= {mine[id] for id in ids}
    return found


_COLUMNS: dict[str, InstrumentedAttribute[str]] = {
    "payment": Payment.id,
    "refund": Refund.id,
    "dispute": Dispute.id,
    "line": PlanCredit.id,
    "claim": InvoiceClaim.invoice_id,
}


def _is_told(look: Look, transfer_id: str) -> bool:
    cause = cause_of(transfer_id)
    return cause is not None and look.seen.noted(cause.object_id)


def _difference(transfer: Transfer) -> Difference:
    incoming = transfer.code in INCOMING
    return Difference(
        "credited_not_paid" if incoming else "taken_not_refunded",
        money=True,
        what=f"a {transfer.code} that nothing here is the cause of",
        our_id=transfer.id,
        user_id=transfer.wallet.partition(":")[2],
        theirs=0,
        ours=transfer.credits,
        unit=CREDITS,
        changed_at=transfer.created_at,
    )
