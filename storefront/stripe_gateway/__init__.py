"""The one door to Stripe. Nothing else imports `stripe`, and Stripe's objects end here: callers
get our own frozen facts."""

from storefront.stripe_gateway.client import (
    API_VERSION,
    NETWORK_RETRIES,
    READ_TIMEOUT_SECONDS,
    CustomerMissing,
    StripeGateway,
)
from storefront.stripe_gateway.facts import Event, Intent
from storefront.stripe_gateway.webhook import SIGNATURE_TOLERANCE_SECONDS

__all__ = [
    "API_VERSION",
    "NETWORK_RETRIES",
    "READ_TIMEOUT_SECONDS",
    "SIGNATURE_TOLERANCE_SECONDS",
    "CustomerMissing",
    "Event",
    "Intent",
    "StripeGateway",
]
