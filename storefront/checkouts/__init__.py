"""Visits to Stripe's Checkout page: opened, and settled once.

open_checkout() starts one, settle() is the one function that applies what Stripe says of its
session, called by the webhook and by refresh() (success page). The row is committed before Stripe
is called; what a checkout costs and brings is fixed in that row.
"""

from storefront.checkouts.choice import Opened
from storefront.checkouts.opening import open_checkout
from storefront.checkouts.reading import (
    BOUGHT,
    Standing,
    find,
    find_by_session,
    owned,
    purchases,
    standing,
)
from storefront.checkouts.refreshing import ASKING_INTERVAL, refresh
from storefront.checkouts.rivals import expire_rivals
from storefront.checkouts.settling import settle
from storefront.checkouts.stale import end
from storefront.checkouts.tables import STILL_OPEN, UNFINISHED, Checkout

__all__ = [
    "ASKING_INTERVAL",
    "BOUGHT",
    "STILL_OPEN",
    "UNFINISHED",
    "Checkout",
    "Opened",
    "Standing",
    "end",
    "expire_rivals",
    "find",
    "find_by_session",
    "open_checkout",
    "owned",
    "purchases",
    "refresh",
    "settle",
    "standing",
]
