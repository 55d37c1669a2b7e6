"""Visits to Stripe's Checkout page: opened, and settled once."""

from storefront.checkouts.tables import UNFINISHED, Checkout

__all__ = ["UNFINISHED", "Checkout"]
