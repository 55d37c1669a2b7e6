"""The gateway itself: one client, all its calls, and the check of what Stripe sends us."""

import stripe
from stripe import StripeClient

from storefront.config import Config
from storefront.errors import BadInput, WebhookNotConfigured
from storefront.stripe_gateway.account_calls import AccountCalls
from storefront.stripe_gateway.catalog_calls import CatalogCalls
from storefront.stripe_gateway.checkout_calls import CheckoutCalls
from storefront.stripe_gateway.event_calls import EventCalls
from storefront.stripe_gateway.facts import Event, parse_event
from storefront.stripe_gateway.listing_calls import ListingCalls
from storefront.stripe_gateway.refund_calls import RefundCalls
from storefront.stripe_gateway.reversal_calls import ReversalCalls
from storefront.stripe_gateway.subscription_calls import SubscriptionCalls
from storefront.stripe_gateway.unpaid_calls import UnpaidCalls
from storefront.stripe_gateway.webhook import verified_text

API_VERSION = "2026-10-28.endive"
SDK_API_VERSION: str = stripe.api_version
"""The version that the installed SDK was made for."""

CONNECT_TIMEOUT_SECONDS = 3.05
READ_TIMEOUT_SECONDS = 6
NETWORK_RETRIES = 1
"""StripeClient does not retry unless told to; each retry repeats the idempotency key."""

stripe.enable_telemetry = False  # else it writes a file to the home folder


class StripeGateway(
    UnpaidCalls,  # and with them PaymentCalls
    CheckoutCalls,
    SubscriptionCalls,
    CatalogCalls,
    EventCalls,
    ReversalCalls,
    ListingCalls,
    AccountCalls,
    RefundCalls,
):
    """Calls to one Stripe account (or to a stand-in that speaks its API)."""

    def __init__(self, config: Config) -> None:
        self._secrets = config.stripe_webhook_secrets
        self.livemode = config.livemode
        http_client = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
        self._client = StripeClient(
            config.stripe_secret_key,
            stripe_version=API_VERSION,
            max_network_retries=NETWORK_RETRIES,
            base_addresses={"api": config.stripe_api_base},
            http_client=http_client,
        )

    def verify_event(self, body: bytes, signature: str | None) -> Event:
        """The event in a webhook request, if Stripe signed it with one of our secrets within
        the last five minutes and it is of our mode.
        Raises WebhookNotConfigured, BadSignature, BadInput."""
        if not self._secrets:
            raise WebhookNotConfigured("Set STRIPE_WEBHOOK_SECRET; until then nothing is accepted.")
        event = parse_event(verified_text(body, signature, self._secrets))
        if event.livemode != self.livemode:
            raise BadInput("The event is of the other mode (live or test) than our keys.")
        return event
