"""The portal's configuration: one for its content, which names the prices that one can change to.
The shop makes one at the first visit where none is (storefront/portal.py); here it is made before,
kept as it was meant, and switched off when it is no longer used."""

from collections.abc import Iterator, Mapping
from typing import Any

from storefront import portal, prices
from storefront.catalog import Catalog
from storefront.db import db
from storefront.portal import Ids, Pair
from storefront.provisioning.actions import (
    Action,
    ArchiveConfiguration,
    ChangeConfiguration,
    CreateConfiguration,
    Nothing,
)
from storefront.provisioning.site import Site
from storefront.stripe_gateway import StripeGateway
from storefront.stripe_gateway.reading import mapping

Sold = Mapping[Pair, Ids]
"""By plan and interval, the ids of product and price at Stripe."""


def compare_configuration(
    gateway: StripeGateway, catalog: Catalog, site: Site, sold: Sold
) -> Iterator[Action]:
    """`sold` may lack prices that are still to be made: then so is the configuration.
    Raises StripeUnavailable, StripeRefused."""
    wanted = [
        (plan.code, price.interval)
        for plan in catalog.plans
        for price in plan.prices
        if price.interval != "one_time"
    ]
    text = f"to change between {len(wanted)} prices" if wanted else "cards and receipts"
    content = portal.configuration(site.config, portal.changeable(sold))
    if set(wanted) - set(sold):
        yield CreateConfiguration("portal configuration", "for customers", text, content, None)
        return
    usable = {str(it["id"]): it for it in gateway.portal_configurations()}
    id = _known(content, usable)
    if id not in usable:
        yield CreateConfiguration("portal configuration", "for customers", text, content, id)
    elif _has(usable[id], content):
        yield Nothing("portal configuration", id, text)
    else:
        yield ChangeConfiguration(
            "portal configuration", id, "what customers may do there, as it was", id, content
        )
    if len(portal.changeable(sold)) < portal.MAXIMUM_PRODUCTS:  # else there are several
        yield from _others(usable, keep=id)


def adopt_configuration(gateway: StripeGateway, site: Site, sold: Sold) -> None:
    """Remember the one that is found at Stripe, as a shop with another database has left it."""
    content = portal.configuration(site.config, portal.changeable(sold))
    name = portal.configuration_name(content)
    if prices.remembered(db.session(), name) is None:
        found = _known(content, {str(it["id"]): it for it in gateway.portal_configurations()})
        if found is not None:
            prices.remember(name, found)


def _known(content: portal.Content, usable: Mapping[str, Any]) -> str | None:
    """The configuration for this content: the one that we remember, else one that has its name."""
    name = portal.configuration_name(content)
    remembered = prices.remembered(db.session(), name)
    if remembered is not None:
        return remembered
    marked = [id for id, it in usable.items() if it["metadata"].get(portal.MARK) == name]
    return marked[0] if marked else None


def _others(usable: Mapping[str, Any], keep: str | None) -> Iterator[Action]:
    """Those of this shop that have another content. Stripe does not let go of the default one."""
    ours = prices.remembered_by_prefix(db.session(), portal.NAMES).values()
    for id in sorted(set(ours) - {keep}):
        if id in usable and not usable[id]["is_default"]:
            yield ArchiveConfiguration("portal configuration", id, "no longer used", id)


def _has(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; Stripe adds fields of its own, and keeps no order."""
    if isinstance(wanted, dict):
        fields = mapping(found)
        return all(_has(fields.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        each = found if isinstance(found, list) else []
        same = (any(_has(there, value) for there in each) for value in wanted)
        return len(each) == len(wanted) and all(same)
    return bool(found == wanted)
