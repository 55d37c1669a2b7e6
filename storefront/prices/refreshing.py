"""Asking Stripe which prices it has for the catalogue, and writing down what it says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storefront.catalog import Catalog, Plan, Price
from storefront.db import db, insert, transaction, utcnow
from storefront.errors import NotFound
from storefront.prices.selling import diagnose, explicit_id, sold
from storefront.prices.tables import StripePrice
from storefront.stripe_gateway import PriceFacts, StripeGateway


@dataclass(frozen=True)
class Seen:
    """A price of the catalogue's and what Stripe has for it."""

    price: Price
    facts: PriceFacts

    @property
    def storable(self) -> bool:
        """A price of another interval, or without an amount, is not the one that is meant."""
        return self.facts.interval == self.price.interval and self.facts.unit_amount is not None

    @property
    def on_sale(self) -> bool:
        return self.storable and self.facts.active and self.facts.product_active


def refresh(gateway: StripeGateway, catalog: Catalog) -> list[str]:
    """Ask Stripe for the prices of the catalogue, by lookup key or by the ids that it gives, and
    remember them; prices that are no longer the ones on sale stay, so that subscriptions lead back
    to their plan. Returns diagnose()'s sentences. An answer never overwrites one to a question
    that was asked later. Raises StripeUnavailable, StripeRefused, Unprocessable."""
    asked_at = utcnow()
    found = list(_ask(gateway, catalog))
    with transaction() as session:
        _store(session, found, asked_at)
    return diagnose(db.session(), catalog, gateway.livemode)


def not_for_sale(price_id: str) -> None:
    """Stop selling a price that Stripe refuses to sell, until it is seen on sale again."""
    with transaction() as session:
        stop = update(StripePrice).where(StripePrice.id == price_id)
        session.execute(stop.values(current=False, seen_at=utcnow()))


def _ask(gateway: StripeGateway, catalog: Catalog) -> Iterable[Seen]:
    by_key: dict[str, Price] = {}
    for plan, price in sold(catalog):
        if explicit_id(plan, price.interval, gateway.livemode):
            yield from _ask_for(gateway, plan, price)
        else:
            by_key[price.lookup_key] = price
    for facts in gateway.prices_by_lookup_key(by_key):
        if facts.lookup_key in by_key:
            yield Seen(by_key[facts.lookup_key], facts)


def _ask_for(gateway: StripeGateway, plan: Plan, price: Price) -> Iterable[Seen]:
    """None when Stripe does not know the id: a mistake in the catalogue, which diagnose() names."""
    id = explicit_id(plan, price.interval, gateway.livemode)
    assert id is not None
    try:
        return [Seen(price, gateway.retrieve_price(id))]
    except NotFound:
        return []


def _store(session: Session, found: list[Seen], asked_at: datetime) -> None:
    """Rows are locked in the order of their ids, so that two refreshes cannot block each other."""
    rows = session.scalars(select(StripePrice).order_by(StripePrice.id).with_for_update())
    known = {row.id: row for row in rows}
    for seen in sorted(found, key=lambda each: each.facts.id):
        if not seen.storable:
            continue
        row = known.get(seen.facts.id)
        if row is None:
            _add(session, seen, asked_at)
        elif row.seen_at <= asked_at:
            _overwrite(row, seen, asked_at)
    on_sale = {seen.facts.id for seen in found if seen.on_sale}
    for row in known.values():
        if row.current and row.id not in on_sale and row.seen_at <= asked_at:
            row.current = False


def _add(session: Session, seen: Seen, asked_at: datetime) -> None:
    """Another refresh may just have done it."""
    row = insert(session, StripePrice).values(id=seen.facts.id, **_columns(seen, asked_at))
    session.execute(row.on_conflict_do_nothing(index_elements=["id"]))


def _overwrite(row: StripePrice, seen: Seen, asked_at: datetime) -> None:
    for name, value in _columns(seen, asked_at).items():
        setattr(row, name, value)


def _columns(seen: Seen, asked_at: datetime) -> dict[str, object]:
    return {
        "product_id": seen.facts.product_id,
        "plan": seen.price.plan,
        "interval": seen.price.interval,
        "amount": seen.facts.unit_amount,
        "currency": seen.facts.currency,
        "current": seen.on_sale,
        "seen_at": asked_at,
    }
