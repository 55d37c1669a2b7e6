"""What refunds and disputes have in common: what was paid by the money that went back, and the
transfers that took its credits along."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.payments import Payment
from storefront.reconciling.difference import CREDITS, Difference, Kind, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import by, credits_moved
from storefront.reversals import Dispute, Refund
from storefront.stripe_gateway import DisputeFacts, Listed, RefundFacts
from storefront.subscriptions import Invoice

MOST_PARTS = 40
"""Returned credits keep their ends, a transfer for each: more than a year's installments have."""

Row = TypeVar("Row", bound=Refund | Dispute)
Facts = TypeVar("Facts", bound=RefundFacts | DisputeFacts)


@dataclass(frozen=True)
class Sources:
    """What was paid by the intents that a page of refunds or disputes names."""

    payments: dict[str, Payment]
    invoices: dict[str, Invoice]

    @classmethod
    def read(cls, session: Session, intent_ids: Sequence[str | None]) -> "Sources":
        return cls(
            by(session, Payment, Payment.stripe_intent_id, intent_ids),
            by(session, Invoice, Invoice.stripe_intent_id, intent_ids),
        )

    def of(self, intent_id: str | None) -> Payment | Invoice | None:
        return self.payments.get(intent_id or "") or self.invoices.get(intent_id or "")


def compare_all(
    look: Look,
    items: Sequence[Listed[Facts]],
    table: type[Row],
    of_missing: Callable[[Payment | Invoice, Facts], Iterator[Difference]],
    of_row: Callable[[Row, Facts], Iterator[Difference]],
) -> list[Difference]:
    """A page of Stripe's against our rows of that table: by `of_missing` what we do not have, by
    `of_row` what we have, and the ledger for it."""
    session = look.session
    sources = Sources.read(session, [it.facts.intent_id for it in items])
    rows = by(session, table, table.id, [it.facts.id for it in items])
    moved = Moved.read(session, list(rows.values()))
    found: list[Difference] = []
    for item in items:
        source, row = sources.of(item.facts.intent_id), rows.get(item.facts.id)
        if row is not None:
            found += [*of_row(row, item.facts), *moved.differences(row)]
        elif source is not None:
            found += of_missing(source, item.facts)
        else:
            look.tally.foreign += 1
    return found


def gone(look: Look, table: type[Row], ids: Sequence[str]) -> list[Difference]:
    """Our rows that Stripe has nothing of."""
    rows = look.session.scalars(select(table).where(table.id.in_(ids)))
    return [
        replace(
            about_reversal(row, row.id, None),
            kind="unknown_to_stripe",
            what=f"{row.status} here, and Stripe does not have it",
            ours=row.claim,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Moved:
    """The credits that transfers took and returned for some refunds or disputes."""

    transfers: dict[str, int]

    @classmethod
    def read(cls, session: Session, rows: Sequence[Refund | Dispute]) -> "Moved":
        wanted = [taking_id(row) for row in rows]
        for row in rows:
            if row.credits_returned:
                wanted += _parts(row)
        return cls(credits_moved(session, wanted))

    def differences(self, row: Refund | Dispute) -> Iterator[Difference]:
        """Where the ledger moved other credits than the row says."""
        taken = self.transfers.get(taking_id(row))
        returned = sum(self.transfers.get(id, 0) for id in _parts(row))
        for credits, moved, id in (
            (row.credits_taken, taken or 0, taking_id(row)),
            (row.credits_returned, returned, _parts(row)[0]),
        ):
            if credits == moved:
                continue
            missing: Kind = "refund_missing" if isinstance(row, Refund) else "dispute_missing"
            yield replace(
                about_reversal(row, row.id, None),
                kind="amount_differs" if moved else missing,
                what=f"the ledger moved other credits by {id} than it was to",
                theirs=credits,
                ours=moved,
                unit=CREDITS,
                remedy=None,
            )


def taking_id(row: Refund | Dispute) -> str:
    """The transfer that takes credits back."""
    return f"refund:{row.id}" if isinstance(row, Refund) else f"dispute:{row.id}:withdrawn"


def _parts(row: Refund | Dispute) -> list[str]:
    """The transfers that may have returned credits."""
    first = f"refund:{row.id}:failed" if isinstance(row, Refund) else f"dispute:{row.id}:reinstated"
    return [first, *(f"{first}:{number}" for number in range(2, MOST_PARTS))]


def about_reversal(row: Refund | Dispute, stripe_id: str, intent_id: str | None) -> Difference:
    """What every difference of a refund or a dispute says; its kind is still to be told."""
    return Difference(
        "refund_missing",
        money=True,
        what="",
        stripe_id=stripe_id,
        our_id=row.payment_id or row.invoice_id,
        user_id=row.user_id,
        unit=row.currency,
        remedy=Remedy("reversals", intent_id) if intent_id else None,
        changed_at=row.updated_at,
    )
