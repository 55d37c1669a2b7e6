"""Invoices against our rows of them, their plan credits, and the transfers of those."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.prices import StripePrice
from storefront.reconciling.difference import CREDITS, Difference, Kind, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import by, credits_moved
from storefront.reconciling.subscribing import Owners
from storefront.reconciling.walking import Walk, in_window, some_rows
from storefront.stripe_gateway import InvoiceFacts, Listed
from storefront.subscriptions import Invoice, PlanCredit

FINAL = ("paid", "void", "uncollectible")
"""Before that nothing tells of an invoice, and nothing follows from it."""


@dataclass(frozen=True)
class _Ours:
    invoices: dict[str, Invoice]
    lines: dict[str, list[PlanCredit]]
    transfers: dict[str, int]
    sold: set[str]

    @classmethod
    def read(cls, session: Session, items: Sequence[Listed[InvoiceFacts]]) -> "_Ours":
        ids = [it.facts.id for it in items]
        lines: dict[str, list[PlanCredit]] = {}
        for row in session.scalars(select(PlanCredit).where(PlanCredit.invoice_id.in_(ids))):
            lines.setdefault(row.invoice_id, []).append(row)
        wanted = [id for rows in lines.values() for row in rows for id in grants(row)]
        priced = {line.price_id for it in items for line in it.facts.lines if line.price_id}
        query = select(StripePrice.id).where(
            StripePrice.id.in_(priced), StripePrice.interval.in_(("monthly", "yearly"))
        )
        return cls(
            by(session, Invoice, Invoice.id, ids),
            lines,
            credits_moved(session, wanted),
            set(session.scalars(query)),
        )


def compare(look: Look, items: Sequence[Listed[InvoiceFacts]]) -> list[Difference]:
    named = [(it.facts.subscription_id, it.facts.customer_id) for it in items]
    owners = Owners(look, named)
    ours = _Ours.read(look.session, items)
    found: list[Difference] = []
    for item in items:
        facts = item.facts
        row = ours.invoices.get(facts.id)
        owner = row.user_id if row else owners.of(facts.subscription_id, facts.customer_id)
        if owner is None:
            look.tally.foreign += 1
        elif facts.subscription_id is not None:
            forgotten = None if owners.knows(facts.customer_id) else owner
            remedy = Remedy("invoices", facts.customer_id, forgotten, facts.intent_id)
            about = replace(_about(row, facts, owner), remedy=remedy)
            found += _of_invoice(ours, about, row, facts)
    return found


def gone(look: Look, invoice_ids: Sequence[str]) -> list[Difference]:
    rows = by(look.session, Invoice, Invoice.id, invoice_ids)
    return [
        Difference(
            "unknown_to_stripe",
            money=row.status == "paid",
            what=f"{row.status} here, and Stripe does not have it",
            stripe_id=row.id,
            our_id=row.id,
            user_id=row.user_id,
            ours=row.amount_paid,
            unit=row.currency,
            changed_at=row.updated_at,
        )
        for row in rows.values()
        if row.status != "draft"  # one that was never finalized can be deleted
    ]


def grants(row: PlanCredit) -> list[str]:
    """The transfers that may have granted a line's installments so far."""
    first = f"invoice:{row.id}"
    return [first, *(f"{first}:{number}" for number in range(2, row.done + 1))]


def _of_invoice(
    ours: _Ours, about: Difference, row: Invoice | None, facts: InvoiceFacts
) -> Iterator[Difference]:
    paid_here = row is not None and (row.status == "paid" or row.credited_at is not None)
    if facts.status == "paid" and (row is None or row.credited_at is None):
        here = "unknown" if row is None else f"{row.status} and not credited"
        figures = replace(about, theirs=facts.amount_paid, ours=0, unit=facts.currency)
        yield replace(figures, kind="paid_not_credited", what=f"paid at Stripe, {here} here")
    elif facts.status != "paid" and paid_here:
        figures = replace(about, theirs=0, ours=row.amount_paid if row else 0, remedy=None)
        what = f"{facts.status} at Stripe, paid here"
        yield replace(figures, kind="credited_not_paid", what=what, unit=facts.currency)
    elif row is not None:
        yield from _of_row(about, row, facts)
        yield from _of_credits(ours, about, row, facts)


def _of_row(about: Difference, row: Invoice, facts: InvoiceFacts) -> Iterator[Difference]:
    if facts.status != row.status and (facts.status in FINAL or row.status in FINAL):
        what = f"{facts.status} at Stripe, {row.status} here"
        yield replace(about, kind="invoice_differs", money=False, what=what)
    if facts.status == "paid" and _figures(facts) != _figures(row):
        what = f"total {facts.total} {facts.currency} at Stripe, {row.total} {row.currency} here"
        figures = replace(about, theirs=facts.amount_paid, ours=row.amount_paid)
        yield replace(figures, kind="amount_differs", what=what, unit=facts.currency)


def _figures(it: Invoice | InvoiceFacts) -> tuple[int, int, str]:
    return it.total, it.amount_paid, it.currency


def _of_credits(
    ours: _Ours, about: Difference, row: Invoice, facts: InvoiceFacts
) -> Iterator[Difference]:
    """Of a credited invoice: each line for a period of a plan has its plan credits, and what they
    say to have granted is in the ledger."""
    lines = {line.id: line for line in ours.lines.get(row.id, [])}
    for line in facts.lines if row.credited_at is not None else ():
        due = line.amount > 0 and line.price_id in ours.sold and line.subscription_id is not None
        if due and line.period_start < line.period_end and f"{row.id}:{line.id}" not in lines:
            what = f"the line {line.id} is paid, and brought nothing"
            missing = replace(about, theirs=line.amount, ours=0, unit=facts.currency, remedy=None)
            yield replace(missing, kind="paid_not_credited", what=what)
    for granted in lines.values():
        moved = sum(ours.transfers.get(id, 0) for id in grants(granted))
        if moved == granted.granted:
            continue
        what = f"the transfers invoice:{granted.id} moved other credits than were granted"
        figures = replace(about, theirs=granted.granted, ours=moved, unit=CREDITS, remedy=None)
        kind: Kind = "amount_differs" if moved else "paid_not_credited"
        yield replace(figures, kind=kind, what=what)


def _about(row: Invoice | None, facts: InvoiceFacts, owner: str) -> Difference:
    """What every difference of an invoice says; its kind is still to be told."""
    return Difference(
        "invoice_differs",
        money=True,
        what="",
        stripe_id=facts.id,
        our_id=row.id if row else None,
        user_id=owner,
        customer_id=facts.customer_id,
        changed_at=row.updated_at if row else None,
    )


WALK = Walk[InvoiceFacts](
    "invoices",
    lambda look, after: look.gateway.page_of_invoices(look.window, after),
    compare,
    lambda look, after: some_rows(
        look, Invoice.id, Invoice.id, after, *in_window(look, Invoice.created_at)
    ),
    lambda look, id: look.gateway.look_up_invoice(id),
    gone,
)
