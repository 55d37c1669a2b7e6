"""The plans of the catalogue against the products and prices of the account. Reading only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from storefront.catalog import Catalog, Plan, Price
from storefront.db import db
from storefront.errors import NotFound
from storefront.portal import Ids, Pair
from storefront.prices import explicit_id, ids_of, withdrawn
from storefront.provisioning.actions import (
    Action,
    ArchivePrice,
    ArchiveProduct,
    ChangePrice,
    ChangeProduct,
    CreatePrice,
    CreateProduct,
    Nothing,
    Pairs,
    Problem,
    found_text,
    is_for,
    wanted_text,
)
from storefront.provisioning.named import look_at, named_prices
from storefront.stripe_gateway import NewPrice, PriceFacts, ProductFacts, StripeGateway

PRODUCT_PREFIX = "storefront_"
"""Products that we make get an id of ours, so that they are found again without a search."""


@dataclass(frozen=True)
class Found:
    """What Stripe has for a plan: its product, if it is there, and that product's prices on sale;
    `by_key` has every price under a lookup key of the catalogue's."""

    product_id: str
    product: ProductFacts | None
    active: list[PriceFacts]
    by_key: Mapping[str, PriceFacts]


@dataclass
class Seen:
    """What was learned on the way: whose each product is, and what is sold by plan and interval."""

    owners: dict[str, str] = field(default_factory=dict)
    sold: dict[Pair, Ids] = field(default_factory=dict)


def compare_plans(gateway: StripeGateway, catalog: Catalog) -> tuple[list[Action], dict[Pair, Ids]]:
    """What there is to do so that all plans of the catalogue can be bought and no others, with
    Nothing for what is right already; and the ids of product and price of what can be bought.

    A plan's product is the one that the catalogue names, else the one that its prices have, else
    one under an id of ours. Raises StripeUnavailable, StripeRefused, Unprocessable."""
    ours = {
        plan.code: [
            price
            for price in plan.prices
            if explicit_id(plan, price.interval, gateway.livemode) is None
        ]
        for plan in catalog.plans
    }
    keys = [price.lookup_key for prices in ours.values() for price in prices]
    by_key = {facts.lookup_key or "": facts for facts in gateway.prices_by_lookup_key(keys)}
    actions: list[Action] = []
    seen = Seen()
    for plan in catalog.plans:
        actions += _of_plan(gateway, plan, ours[plan.code], by_key, seen)
    for product_id, code in withdrawn(db.session(), catalog).items():
        if product_id not in seen.owners:
            actions += _withdraw(gateway, product_id, code)
    return actions, seen.sold


def _of_plan(
    gateway: StripeGateway,
    plan: Plan,
    ours: list[Price],
    by_key: Mapping[str, PriceFacts],
    seen: Seen,
) -> Iterator[Action]:
    named = list(named_prices(gateway, plan))
    for price, id, facts in named:
        action = look_at(price, id, facts)
        if facts and isinstance(action, Nothing):
            seen.sold[_mark(price)] = facts.product_id, id
        yield action
    given = ids_of(plan, gateway.livemode).product
    if not ours and given is None:
        return
    theirs = [facts for _, _, facts in named if facts]
    theirs += [by_key[price.lookup_key] for price in ours if price.lookup_key in by_key]
    product_id = given or (theirs[0].product_id if theirs else PRODUCT_PREFIX + plan.code)
    owner = seen.owners.setdefault(product_id, plan.code)
    if owner != plan.code:
        yield Problem("product", plan.code, f"{product_id} is {owner}'s; name another product")
        return
    found = _find(gateway, product_id, by_key)
    if given and found.product is None:
        yield Problem("product", plan.code, f"Stripe does not know {given}; correct the catalogue")
        return
    yield _compare_product(plan, found)
    yield from _compare_prices(plan, ours, found, {id for _, id, _ in named}, seen)


def _find(gateway: StripeGateway, product_id: str, by_key: Mapping[str, PriceFacts]) -> Found:
    try:
        product = gateway.retrieve_product(product_id)
    except NotFound:
        return Found(product_id, None, [], by_key)
    return Found(product_id, product, gateway.active_prices(product_id), by_key)


def _compare_product(plan: Plan, found: Found) -> Action:
    product = found.product
    if product is None:
        return CreateProduct("product", plan.code, plan.name, found.product_id, plan)
    changes = {
        f"name {plan.name!r} instead of {product.name!r}": product.name != plan.name,
        "description": (product.description or "") != plan.description,
        "back on sale": not product.active,
        "marked as this plan's": product.plan != plan.code,
    }
    text = ", ".join(change for change, needed in changes.items() if needed)
    if not text:
        return Nothing("product", plan.code, plan.name)
    return ChangeProduct("product", plan.code, text, product.id, plan)


def _compare_prices(
    plan: Plan, ours: list[Price], found: Found, named: set[str], seen: Seen
) -> Iterator[Action]:
    kept, replaced = set(named), []
    for price in ours:
        right, holder = _right_one(price, found), found.by_key.get(price.lookup_key)
        if right is not None:
            kept.add(right.id)
            seen.sold[_mark(price)] = right.product_id, right.id
        if holder is not None and holder.active and holder is not right:
            replaced.append(holder)
        yield _create(price, found) if right is None else _keep(price, right)
    marked = _marked(found, plan.code)
    for facts in {facts.id: facts for facts in marked + replaced}.values():
        if facts.id not in kept:
            yield _archive(facts)


def _withdraw(gateway: StripeGateway, product_id: str, code: str) -> Iterator[Action]:
    """Archive what we made for a plan that is not sold any more: our prices, and our product."""
    found = _find(gateway, product_id, {})
    if found.product is None:  # deleted, or of the other mode
        return
    yield from map(_archive, _marked(found, code))
    if found.product.active and product_id == PRODUCT_PREFIX + code:
        yield ArchiveProduct("product", code, "no longer in the catalogue", product_id)


def _marked(found: Found, code: str) -> list[PriceFacts]:
    """The prices on sale that we made, or took on, for a plan."""
    return [facts for facts in found.active if facts.plan == code and facts.plan_interval]


def _archive(facts: PriceFacts) -> Action:
    text = f"{found_text(facts)}, no longer sold"
    return ArchivePrice("price", facts.id, text, facts.id, facts.product_id)


def _right_one(price: Price, found: Found) -> PriceFacts | None:
    """Who has the lookup key, if it is the price that we want; else another price of the product
    that is: Stripe keeps our metadata on prices whose key went away."""
    holder = found.by_key.get(price.lookup_key)
    marked = [facts for facts in found.active if (facts.plan, facts.plan_interval) == _mark(price)]
    for facts in [*([holder] if holder else []), *marked]:
        if facts.product_id == found.product_id and is_for(price, facts):
            return facts
    return None


def _keep(price: Price, right: PriceFacts) -> Action:
    changes = {
        "back on sale": not right.active,
        "takes the lookup key": right.lookup_key != price.lookup_key,
        "marked as this plan's": (right.plan, right.plan_interval) != _mark(price),
    }
    text = ", ".join(change for change, needed in changes.items() if needed)
    if not text:
        return Nothing("price", price.lookup_key, wanted_text(price))
    return ChangePrice(
        "price", price.lookup_key, text, right.id, price.lookup_key, _metadata(price)
    )


def _create(price: Price, found: Found) -> Action:
    new = NewPrice(
        product_id=found.product_id,
        unit_amount=price.amount,
        currency=price.currency,
        interval=price.interval,
        lookup_key=price.lookup_key,
        metadata=_metadata(price),
    )
    holder = found.by_key.get(price.lookup_key)
    if holder is None:
        return CreatePrice("price", price.lookup_key, wanted_text(price), new, None)
    text = f"{wanted_text(price)}, instead of {found_text(holder)} ({holder.id})"
    return CreatePrice("price", price.lookup_key, text, new, holder.id)


def _mark(price: Price) -> tuple[str, str]:
    return price.plan, price.interval


def _metadata(price: Price) -> Pairs:
    """What leads from a price back to its plan when its lookup key has gone to another one."""
    return (("plan", price.plan), ("interval", price.interval))
