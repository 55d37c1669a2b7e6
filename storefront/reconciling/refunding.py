"""Refunds against our rows of them, and the transfers that took credits along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.payments import Payment
from storefront.reconciling.difference import CREDITS, Difference, Kind, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import by, credits_moved
from storefront.reconciling.walking import Walk, in_window, some_rows
from storefront.reversals import ACTIVE, Dispute, Refund
from storefront.stripe_gateway import Listed, RefundFacts
from storefront.subscriptions import Invoice

MOST_PARTS = 40
"""Returned credits keep their ends, a transfer for each: more than a year's installments have."""


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


def compare(look: Look, items: Sequence[Listed[RefundFacts]]) -> list[Difference]:
    session = look.session
    sources = Sources.read(session, [it.facts.intent_id for it in items])
    query = select(Refund).where(Refund.id.in_([it.facts.id for it in items]))
    rows = {row.id: row for row in session.scalars(query)}
    moved = Moved.read(session, list(rows.values()))
    found: list[Difference] = []
    for item in items:
        source, row = sources.of(item.facts.intent_id), rows.get(item.facts.id)
        if source is None and row is None:
            look.tally.foreign += 1
        elif row is None:
            assert source is not None
            found += _of_missing(source, item.facts)
        else:
            found += [*_of_row(row, item.facts), *moved.differences(row)]
    return found


def gone(look: Look, refund_ids: Sequence[str]) -> list[Difference]:
    rows = look.session.scalars(select(Refund).where(Refund.id.in_(refund_ids)))
    return [
        replace(
            about_reversal(row, row.id, None),
            kind="unknown_to_stripe",
            what=f"{row.status} here, and Stripe does not have it",
            theirs=None,
            ours=row.amount,
            remedy=None,
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


def _of_missing(source: Payment | Invoice, facts: RefundFacts) -> Iterator[Difference]:
    assert facts.intent_id is not None
    active = facts.status in ACTIVE
    yield Difference(
        "refund_missing",
        money=active,
        what=f"{facts.status} at Stripe, unknown here",
        stripe_id=facts.id,
        our_id=source.id,
        user_id=source.user_id,
        customer_id=facts.customer_id,
        theirs=facts.amount,
        ours=0,
        unit=facts.currency,
        remedy=Remedy("reversals", facts.intent_id),
    )


def _of_row(row: Refund, facts: RefundFacts) -> Iterator[Difference]:
    about = about_reversal(row, facts.id, facts.intent_id)
    about = replace(about, customer_id=facts.customer_id, theirs=facts.amount, ours=row.amount)
    if (facts.amount, facts.currency) != (row.amount, row.currency):
        what = f"refunded in {facts.currency} at Stripe, in {row.currency} here"
        yield replace(about, kind="amount_differs", what=what)
    if facts.status == row.status:
        return
    what = f"{facts.status} at Stripe, {row.status} here"
    active = facts.status in ACTIVE
    if active == (row.status in ACTIVE):
        yield replace(about, kind="status_differs", money=False, what=what)
    else:
        theirs, ours = (facts.amount if active else 0), row.claim
        yield replace(about, what=what, theirs=theirs, ours=ours)


WALK = Walk[RefundFacts](
    "refunds",
    lambda look, after: look.gateway.page_of_refunds(look.window, after),
    compare,
    lambda look, after: some_rows(
        look, Refund.id, Refund.id, after, *in_window(look, Refund.created_at)
    ),
    lambda look, id: look.gateway.look_up_refund(id),
    gone,
)
