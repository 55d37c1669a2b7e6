"""What can be bought now, why something cannot, and which plan a price of Stripe's belongs to.
All of it is read from our own tables and the catalogue."""

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.catalog import Catalog, Plan, Price, StripeIds
from storefront.money import format_money
from storefront.prices.tables import StripePrice
from storefront.stripe_gateway import PriceFacts

Pair = tuple[str, str]
"""A plan's code and an interval."""


def current(session: Session, catalog: Catalog, livemode: bool) -> Mapping[Pair, StripePrice]:
    """By plan and interval, Stripe's price for everything that can be bought now: on sale when
    Stripe was last asked, for the amount and currency that the catalogue says. One query."""
    seen = _seen(session)
    candidates = {
        (plan.code, price.interval): _candidate(seen, plan, price, livemode)
        for plan, price in sold(catalog)
    }
    prices = {(price.plan, price.interval): price for _, price in sold(catalog)}
    return {pair: row for pair, row in candidates.items() if row and not differs(prices[pair], row)}


def find(
    session: Session, catalog: Catalog, livemode: bool, plan: str, interval: str
) -> StripePrice | None:
    """Stripe's price for a plan and interval, or None when it cannot be bought now."""
    return current(session, catalog, livemode).get((plan, interval))


def known(session: Session, catalog: Catalog, livemode: bool, price_id: str) -> Pair | None:
    """The plan and interval of the price that Stripe calls so, by the ids in the catalogue and
    every price that we ever sold; None when Stripe would have to be asked what it is."""
    for plan, ours in sold(catalog):
        if explicit_id(plan, ours.interval, livemode) == price_id:
            return plan.code, ours.interval
    row = session.get(StripePrice, price_id)
    return (row.plan, row.interval) if row else None


def identify(session: Session, catalog: Catalog, livemode: bool, price: PriceFacts) -> Pair | None:
    """The plan and interval that a price is one of, on sale or not; None when it is none of ours.

    If it is not known() by its id: by the price's lookup key, or by its metadata, if the catalogue
    has such a plan."""
    if pair := known(session, catalog, livemode, price.id):
        return pair
    for plan, ours in sold(catalog):
        if (ours.lookup_key, ours.interval) == (price.lookup_key, price.interval):
            return plan.code, ours.interval
    interval = price.interval
    if price.plan and interval and price.plan_interval == interval:
        return (price.plan, interval) if catalog.find_plan(price.plan) else None
    return None


def diagnose(session: Session, catalog: Catalog, livemode: bool) -> list[str]:
    """One sentence for each price of the catalogue that cannot be bought now: why, as far as we
    have seen, and what to run. None when everything is for sale."""
    seen, sentences = _seen(session), []
    for plan, price in sold(catalog):
        why = _why_not(_candidate(seen, plan, price, livemode), plan, price, livemode)
        if why:
            sentences.append(f"{plan.code}, {price.interval}: {why}")
    return sentences


def withdrawn(session: Session, catalog: Catalog) -> dict[str, str]:
    """Products that we sold for plans which have no price in the catalogue any more: Stripe's id
    of each, and the plan's code."""
    kept = {plan.code for plan, _ in sold(catalog)}
    rows = session.execute(select(StripePrice.product_id, StripePrice.plan).distinct())
    return {row.product_id: row.plan for row in rows if row.plan not in kept}


def sold(catalog: Catalog) -> Iterator[tuple[Plan, Price]]:
    """Everything of the catalogue that has a price at Stripe."""
    return ((plan, price) for plan in catalog.plans for price in plan.prices)


def explicit_id(plan: Plan, interval: str, livemode: bool) -> str | None:
    """The price id that the catalogue itself gives for this mode, if it does."""
    return ids_of(plan, livemode).prices.get(interval)


def ids_of(plan: Plan, livemode: bool) -> StripeIds:
    return plan.stripe.get("live" if livemode else "test", StripeIds())


def differs(price: Price, seen: StripePrice) -> str | None:
    """Both figures, where Stripe's is another than the catalogue's."""
    if (seen.amount, seen.currency) == (price.amount, price.currency):
        return None
    there, here = (
        format_money(amount, currency)
        for amount, currency in ((seen.amount, seen.currency), (price.amount, price.currency))
    )
    return f"{there} at Stripe, {here} in the catalogue"


def _seen(session: Session) -> list[StripePrice]:
    """What was on sale at Stripe, the latest news first."""
    return list(session.scalars(_SEEN))


_SEEN = (
    select(StripePrice)
    .where(StripePrice.current)
    .order_by(StripePrice.seen_at.desc(), StripePrice.id)
)


def _candidate(
    seen: list[StripePrice], plan: Plan, price: Price, livemode: bool
) -> StripePrice | None:
    """An id in the catalogue is the only one meant."""
    explicit = explicit_id(plan, price.interval, livemode)
    for row in seen:
        if explicit is not None:
            if row.id == explicit:
                return row
        elif (row.plan, row.interval) == (plan.code, price.interval):
            return row
    return None


def _why_not(row: StripePrice | None, plan: Plan, price: Price, livemode: bool) -> str | None:
    explicit = explicit_id(plan, price.interval, livemode)
    if row is None and explicit:
        return (
            f"no price {explicit} of this interval was seen on sale at Stripe. Correct the id in "
            "the catalogue, or put the price on sale; then run: flask catalog apply"
        )
    if row is None:
        return (
            f"no price with the lookup key {price.lookup_key} was seen on sale at Stripe. "
            "Run: flask catalog apply"
        )
    difference = differs(price, row)
    if difference and explicit:
        return (
            f"{explicit} is {difference}. "
            "Correct one of them in the catalogue; then run: flask catalog apply"
        )
    return f"{difference}. Run: flask catalog apply" if difference else None
