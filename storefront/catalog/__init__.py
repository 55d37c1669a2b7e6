"""What is for sale: packs of credits and plans, read from catalog.toml into frozen dataclasses and
checked at start-up, each mistake told with its line."""

from storefront.catalog.catalog import Catalog, load, parse
from storefront.catalog.display import Cta
from storefront.catalog.packs import Pack
from storefront.catalog.plans import Feature, Interval, Plan, Price, StripeIds

__all__ = [
    "Catalog",
    "Cta",
    "Feature",
    "Interval",
    "Pack",
    "Plan",
    "Price",
    "StripeIds",
    "load",
    "parse",
]
