"""Named calls to Stripe: time-outs, retries, idempotency keys, translated errors."""

from collections.abc import Callable
from typing import TypeVar

import stripe
from stripe import StripeClient

from storefront.config import Config
from storefront.db import end_reading
from storefront.errors import (
    BadInput,
    NotFound,
    StripeFailed,
    StripeRateLimited,
    StripeRefused,
    StripeUnavailable,
    WebhookNotConfigured,
)
from storefront.stripe_gateway.facts import Event, Intent, parse_event
from storefront.stripe_gateway.webhook import verified_text

API_VERSION = "2026-10-28.endive"
CONNECT_TIMEOUT_SECONDS = 3.05
READ_TIMEOUT_SECONDS = 6
NETWORK_RETRIES = 1
"""StripeClient does not retry unless told to; each retry repeats the idempotency key."""

RETRY_AFTER_SECONDS = 10

_T = TypeVar("_T")

stripe.enable_telemetry = False  # else it writes a file to the home folder


class CustomerMissing(NotFound):
    """The Stripe customer that we remember does not exist (any more) for these keys."""

    def __init__(self, customer_id: str) -> None:
        super().__init__("The payment service does not know this customer.")
        self.customer_id = customer_id


class StripeGateway:
    """Calls to one Stripe account (or to a stand-in that speaks its API)."""

    def __init__(self, config: Config) -> None:
        self._secrets = config.stripe_webhook_secrets
        self._livemode = config.livemode
        http_client = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
        self._client = StripeClient(
            config.stripe_secret_key,
            stripe_version=API_VERSION,
            max_network_retries=NETWORK_RETRIES,
            base_addresses={"api": config.stripe_api_base},
            http_client=http_client,
        )

    def create_customer(self, *, idempotency_key: str, user_id: str, email: str) -> str:
        """The id of a new customer; the same key gets the same one (for 24 hours).
        Raises StripeUnavailable, StripeRefused."""
        return _translated(
            lambda: self._client.v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": idempotency_key},
            )
        ).id

    def create_payment_intent(
        self,
        *,
        idempotency_key: str,
        amount: int,
        currency: str,
        customer_id: str,
        description: str,
        metadata: dict[str, str],
    ) -> Intent:
        """A payment intent for any method that the account has switched on; `amount` in minor
        units. Raises CustomerMissing, StripeUnavailable, StripeRefused."""
        try:
            created = _translated(
                lambda: self._client.v1.payment_intents.create(
                    {
                        "amount": amount,
                        "currency": currency,
                        "customer": customer_id,
                        "automatic_payment_methods": {"enabled": True},
                        "description": description,
                        "metadata": metadata,
                    },
                    {"idempotency_key": idempotency_key},
                )
            )
        except NotFound:  # all that this call refers to is the customer
            raise CustomerMissing(customer_id) from None
        return Intent.from_dict(created.to_dict())

    def retrieve_payment_intent(self, intent_id: str) -> Intent:
        """What is true now. Raises NotFound, StripeUnavailable, StripeRefused."""
        found = _translated(lambda: self._client.v1.payment_intents.retrieve(intent_id))
        return Intent.from_dict(found.to_dict())

    def verify_event(self, body: bytes, signature: str | None) -> Event:
        """The event in a webhook request, if Stripe signed it with one of our secrets within
        the last five minutes and it is of our mode.
        Raises WebhookNotConfigured, BadSignature, BadInput."""
        if not self._secrets:
            raise WebhookNotConfigured("Set STRIPE_WEBHOOK_SECRET; until then nothing is accepted.")
        event = parse_event(verified_text(body, signature, self._secrets))
        if event.livemode != self._livemode:
            raise BadInput("The event is of the other mode (live or test) than our keys.")
        return event


def _translated(call: Callable[[], _T]) -> _T:
    """Make the call; Stripe's exceptions end here, each as one of ours."""
    end_reading()
    try:
        return call()
    except stripe.RateLimitError as error:
        raise StripeRateLimited(
            "The payment service is busy. Nothing was charged; try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        ) from error
    except stripe.InvalidRequestError as error:
        raise _refusal(error) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise StripeRefused(
            "The payment service does not accept the configured key. Nothing was charged."
        ) from error
    except stripe.StripeError as error:  # no answer, a broken one, 409 or 5xx: outcome unknown
        kind = StripeFailed if error.http_status == 500 else StripeUnavailable
        raise kind(
            "The payment service does not answer. Nothing was charged; try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        ) from error


def _refusal(error: stripe.InvalidRequestError) -> NotFound | StripeRefused:
    if error.code == "resource_missing":
        return NotFound("The payment service does not know this object.")
    return StripeRefused("The payment service refused the request. Nothing was charged.")
