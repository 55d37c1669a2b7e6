"""Prices that the catalogue names by Stripe's id: they are somebody's own, and only looked at."""

from collections.abc import Iterator

from storefront.catalog import Plan, Price
from storefront.errors import NotFound
from storefront.prices import explicit_id
from storefront.provisioning.actions import (
    Action,
    Nothing,
    Problem,
    found_text,
    is_for,
    wanted_text,
)
from storefront.stripe_gateway import PriceFacts, StripeGateway

Named = tuple[Price, str, PriceFacts | None]
"""A price of the catalogue, the id that it gives, and what Stripe has under it."""


def named_prices(gateway: StripeGateway, plan: Plan) -> Iterator[Named]:
    """Asks Stripe for each of them."""
    for price in plan.prices:
        id = explicit_id(plan, price.interval, gateway.livemode)
        if id is not None:
            yield price, id, _retrieved(gateway, id)


def look_at(price: Price, id: str, facts: PriceFacts | None) -> Action:
    """Nothing to do, or why it cannot be sold as it is."""
    wanted = wanted_text(price)
    name = f"{price.lookup_key} ({id})"
    if facts is None:
        return Problem("price", name, "Stripe does not know this id; correct it in the catalogue")
    if not (facts.active and facts.product_active):
        return Problem("price", name, "it is archived at Stripe, or its product is")
    if not is_for(price, facts):
        text = f"{found_text(facts)} at Stripe, {wanted} in the catalogue"
        return Problem("price", name, text)
    return Nothing("price", name, wanted)


def _retrieved(gateway: StripeGateway, id: str) -> PriceFacts | None:
    try:
        return gateway.retrieve_price(id)
    except NotFound:
        return None
