"""Keeping our rows of a customer's invoices as Stripe has them, and crediting the paid ones."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import prices, users
from storefront.catalog import Catalog
from storefront.db import db, transaction, utcnow
from storefront.errors import NotFound
from storefront.observing import counting
from storefront.stripe_gateway import InvoiceFacts, StripeGateway
from storefront.subscriptions.crediting import Prices, Sold, credit
from storefront.subscriptions.mirror import ASKING_TRIES, sync
from storefront.subscriptions.tables import Invoice, PlanCredit
from storefront.users import User

FINAL = ("paid", "void")
"""What nothing undoes. One that was written off (uncollectible) can still be paid or made void."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """A stored invoice before Stripe is asked; `settled` ones have nothing to come."""

    version: int
    settled: bool


def sync_invoices(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    stripe_customer_id: str,
    *,
    owner_id: str | None = None,
) -> None:
    """Ask Stripe for all invoices of a customer, store those of subscriptions, and credit each paid
    one once, in the order of payment: the one function for this effect.

    Nothing happens for a customer who is unknown here or at Stripe. `owner_id` is the user who was
    this customer, where the customer was deleted at Stripe and is forgotten here. An older answer
    never overwrites a newer one; see mirror.ASKING_TRIES. Whoever dies in the middle has done a
    part, and the next one does the rest.
    Raises Unprocessable, StripeUnavailable, StripeRefused.
    """
    user_id = db.session.scalar(
        select(User.id).where(User.stripe_customer_id == stripe_customer_id)
    )
    user_id = user_id or owner_id
    if user_id is None:
        return
    for _ in range(ASKING_TRIES):
        known = _known(user_id)
        try:
            listed = gateway.list_invoices(stripe_customer_id)
        except NotFound:
            log.warning("Stripe does not know customer %s", stripe_customer_id)
            return
        invoices = [each for each in listed if each.subscription_id is not None]
        unsettled = [each for each in invoices if not _settled(known, each)]
        sold = _sold(gateway, catalog, livemode, unsettled)
        with transaction() as session:
            if _store_all(session, user_id, invoices, known, sold):
                break
    for subscription_id in _to_sync_before_crediting(user_id, invoices):
        sync(gateway, catalog, livemode, subscription_id, owner_id=owner_id)
    _credit_all(catalog, user_id, invoices, sold)


def describe(facts: InvoiceFacts, sold: Prices) -> str:
    """What an invoice is for, such as: Premium, monthly."""
    said = {
        f"{it.plan.name}, {it.interval}": None  # a set that keeps its order
        for line in facts.lines
        if line.amount >= 0 and (it := sold.get(line.price_id or "")) is not None
    }
    if said:
        return "; ".join(said)
    return "Unused time" if any(line.amount < 0 for line in facts.lines) else "Subscription"


def _known(user_id: str) -> dict[str, Known]:
    rows = db.session.execute(
        select(Invoice.id, Invoice.version, Invoice.status, Invoice.credited_at).where(
            Invoice.user_id == user_id
        )
    )
    return {
        row.id: Known(row.version, row.status == "void" or row.credited_at is not None)
        for row in rows
    }


def _settled(known: dict[str, Known], facts: InvoiceFacts) -> bool:
    return facts.id in known and known[facts.id].settled


def _sold(
    gateway: StripeGateway, catalog: Catalog, livemode: bool, invoices: Iterable[InvoiceFacts]
) -> Prices:
    """What the prices of these invoices are the prices of."""
    ids = {line.price_id for invoice in invoices for line in invoice.lines if line.price_id}
    found: dict[str, Sold] = {}
    for price_id in sorted(ids):
        pair = prices.known(db.session(), catalog, livemode, price_id)
        pair = pair or _asked(gateway, catalog, livemode, price_id)
        plan = catalog.find_plan(pair[0]) if pair else None
        if pair and plan is not None:
            found[price_id] = Sold(plan, pair[1])
    return found


def _asked(
    gateway: StripeGateway, catalog: Catalog, livemode: bool, price_id: str
) -> prices.Pair | None:
    """What a price is that was sold before we ever saw it: Stripe knows its lookup key."""
    try:
        facts = gateway.retrieve_price(price_id)
    except NotFound:
        return None
    return prices.identify(db.session(), catalog, livemode, facts)


def _store_all(
    session: Session,
    user_id: str,
    invoices: Sequence[InvoiceFacts],
    known: dict[str, Known],
    sold: Prices,
) -> bool:
    """Store an answer; False when somebody else stored another of one of them since we asked."""
    users.lock(session, user_id)
    mine = select(Invoice).where(Invoice.user_id == user_id)
    rows = {row.id: row for row in session.scalars(mine.execution_options(populate_existing=True))}
    newest = True
    for facts in invoices:
        row = rows.get(facts.id)
        before = known.get(facts.id)
        overtaken = (row.version if row else None) != (before.version if before else None)
        if overtaken and facts.status not in FINAL:
            newest = False
        elif row is None:
            _write(session, Invoice(id=facts.id, user_id=user_id, version=0), facts, sold)
        elif row.status not in FINAL or facts.status == row.status:
            _write(session, row, facts, sold)
    return newest


def _write(session: Session, row: Invoice, facts: InvoiceFacts, sold: Prices) -> None:
    if row.version == 0 or row.status not in FINAL:
        row.description = describe(facts, sold)
        row.version += 1
    row.stripe_subscription_id = facts.subscription_id or ""
    row.number, row.status, row.billing_reason = facts.number, facts.status, facts.billing_reason
    row.currency, row.total = facts.currency, facts.total
    row.amount_due, row.amount_paid = facts.amount_due, facts.amount_paid
    row.attempt_count = facts.attempt_count
    row.next_payment_attempt = facts.next_payment_attempt
    row.stripe_intent_id = facts.intent_id or row.stripe_intent_id
    row.hosted_invoice_url, row.invoice_pdf = facts.hosted_invoice_url, facts.invoice_pdf
    row.created_at, row.paid_at = facts.created, facts.paid_at
    session.add(row)


def _to_sync_before_crediting(user_id: str, invoices: Sequence[InvoiceFacts]) -> list[str]:
    """How these subscriptions are must be known: what else has come due depends on whether they go
    on."""
    due = _uncredited(user_id, invoices)
    return sorted(_subscriptions_of(user_id, due)) if due else []


def _credit_all(
    catalog: Catalog, user_id: str, invoices: Sequence[InvoiceFacts], sold: Prices
) -> None:
    """Credit what is paid and not credited yet, each in a transaction of its own."""
    for facts in _uncredited(user_id, invoices):
        with transaction() as session:
            brought = credit(session, catalog, sold, facts)
        if brought:
            counting.credited(facts.paid_at or facts.created, utcnow())


def _uncredited(user_id: str, invoices: Sequence[InvoiceFacts]) -> list[InvoiceFacts]:
    """Oldest payment first; of those paid in one second, the one first that is older at Stripe."""
    waiting = set(
        db.session.scalars(
            select(Invoice.id).where(Invoice.user_id == user_id, Invoice.credited_at.is_(None))
        )
    )
    paid = [each for each in invoices if each.status == "paid" and each.id in waiting]
    return sorted(paid, key=lambda each: each.paid_at or each.created)


def _subscriptions_of(user_id: str, invoices: Iterable[InvoiceFacts]) -> set[str]:
    """The subscriptions of these invoices, and of whatever else the customer has coming."""
    coming = db.session.scalars(
        select(PlanCredit.stripe_subscription_id).where(
            PlanCredit.user_id == user_id, PlanCredit.next_at.is_not(None)
        )
    )
    return {each.subscription_id for each in invoices if each.subscription_id} | set(coming)
