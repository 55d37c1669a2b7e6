"""What Stripe calls the things that we sell: prices by lookup key, objects made for ourselves."""

from storefront.prices.tables import StripeObject, StripePrice

__all__ = ["StripeObject", "StripePrice"]
