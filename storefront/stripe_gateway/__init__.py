"""The one door to Stripe. Nothing else imports `stripe`, and Stripe's objects end here: callers
get our own frozen facts."""

from storefront.stripe_gateway.account_calls import AccountFacts, EndpointFacts
from storefront.stripe_gateway.billing_facts import (
    CheckoutSession,
    PriceFacts,
    ProductFacts,
    SubscriptionFacts,
)
from storefront.stripe_gateway.calls import (
    ConfigurationMissing,
    CustomerMissing,
    PriceMissing,
    reason,
)
from storefront.stripe_gateway.catalog_calls import NewPrice
from storefront.stripe_gateway.client import (
    API_VERSION,
    NETWORK_RETRIES,
    READ_TIMEOUT_SECONDS,
    SDK_API_VERSION,
    StripeGateway,
)
from storefront.stripe_gateway.event_calls import EventPage
from storefront.stripe_gateway.facts import Event, Intent, parse_event
from storefront.stripe_gateway.invoice_facts import InvoiceFacts, InvoiceLine
from storefront.stripe_gateway.listing_calls import (
    BalanceMovement,
    CapturedCharge,
    Listed,
    Page,
    Window,
)
from storefront.stripe_gateway.reversal_facts import (
    ChargeFacts,
    DisputeFacts,
    FraudWarningFacts,
    RefundFacts,
)
from storefront.stripe_gateway.webhook import SIGNATURE_TOLERANCE_SECONDS, signature

__all__ = [
    "API_VERSION",
    "NETWORK_RETRIES",
    "READ_TIMEOUT_SECONDS",
    "SDK_API_VERSION",
    "SIGNATURE_TOLERANCE_SECONDS",
    "AccountFacts",
    "BalanceMovement",
    "CapturedCharge",
    "ChargeFacts",
    "CheckoutSession",
    "ConfigurationMissing",
    "CustomerMissing",
    "DisputeFacts",
    "EndpointFacts",
    "Event",
    "EventPage",
    "FraudWarningFacts",
    "Intent",
    "InvoiceFacts",
    "InvoiceLine",
    "Listed",
    "NewPrice",
    "Page",
    "PriceFacts",
    "PriceMissing",
    "ProductFacts",
    "RefundFacts",
    "StripeGateway",
    "SubscriptionFacts",
    "Window",
    "parse_event",
    "reason",
    "signature",
]
