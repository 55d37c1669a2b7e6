"""What Stripe calls the things that we sell: prices by lookup key, objects made for ourselves.

The table is what was seen at Stripe; what is for sale is the part of it that agrees with the
catalogue. Only refresh() asks Stripe."""

from storefront.prices.objects import remember, remembered, remembered_by_prefix
from storefront.prices.refreshing import not_for_sale, refresh
from storefront.prices.selling import (
    Pair,
    current,
    diagnose,
    explicit_id,
    find,
    identify,
    ids_of,
    known,
    withdrawn,
)
from storefront.prices.tables import StripeObject, StripePrice

__all__ = [
    "Pair",
    "StripeObject",
    "StripePrice",
    "current",
    "diagnose",
    "explicit_id",
    "find",
    "identify",
    "ids_of",
    "known",
    "not_for_sale",
    "refresh",
    "remember",
    "remembered",
    "remembered_by_prefix",
    "withdrawn",
]
