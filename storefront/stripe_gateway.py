"""The one door to Stripe: named calls, time-outs, retries, idempotency keys, translated errors.

Nothing else imports `stripe`. Stripe's objects end here: callers get our own frozen facts.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe
from stripe import StripeClient, WebhookSignature

from storefront.config import Config
from storefront.db import MAX_WHOLE, end_reading
from storefront.errors import (
    BadInput,
    BadSignature,
    NotFound,
    StripeFailed,
    StripeRateLimited,
    StripeRefused,
    StripeUnavailable,
    Unprocessable,
    WebhookNotConfigured,
)

API_VERSION = "2026-10-28.endive"
CONNECT_TIMEOUT_SECONDS = 3.05
READ_TIMEOUT_SECONDS = 6
NETWORK_RETRIES = 1
"""StripeClient does not retry unless told to; each retry repeats the idempotency key."""

SIGNATURE_TOLERANCE_SECONDS = 300

RETRY_AFTER_SECONDS = 10

_T = TypeVar("_T")

stripe.enable_telemetry = False  # else it writes a file to the home folder


@dataclass(frozen=True)
class Intent:
    """A payment intent, as far as we look at it. Amounts in minor units; `customer_id` and
    `payment_id` (from our metadata) may be absent on intents that are not ours."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    customer_id: str | None
    payment_id: str | None
    failure_code: str | None
    failure_message: str | None
    client_secret: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Intent":
        """Read Stripe's JSON. Raises Unprocessable when it is not a usable payment intent."""
        if data.get("object") != "payment_intent":
            raise Unprocessable("The object is not a payment intent.")
        error = _mapping(data.get("last_payment_error"))
        return cls(
            id=_text(data, "id"),
            status=_text(data, "status"),
            amount=_whole(data, "amount"),
            amount_received=_whole(data, "amount_received", 0),
            currency=_text(data, "currency"),
            customer_id=_reference(data.get("customer")),
            payment_id=_short_text(_mapping(data.get("metadata")).get("payment_id")),
            failure_code=_short_text(error.get("decline_code") or error.get("code")),
            failure_message=_short_text(error.get("message")),
            client_secret=_short_text(data.get("client_secret")),
        )


@dataclass(frozen=True)
class Event:
    """A verified snapshot event. `payload` is the JSON text as received, `created` UTC with
    Stripe's resolution of one second (never used to order anything)."""

    id: str
    type: str
    api_version: str | None
    livemode: bool
    created: datetime
    object: Mapping[str, Any]
    payload: str


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

        Uses verify_header and json.loads: construct_event costs twenty times as much and accepts
        timestamps in the future (stripe-python 16, `_webhook.py`).
        Raises WebhookNotConfigured, BadSignature, BadInput.
        """
        if not self._secrets:
            raise WebhookNotConfigured("Set STRIPE_WEBHOOK_SECRET; until then nothing is accepted.")
        text = self._verified_text(body, signature)
        event = _parse_event(text)
        if event.livemode != self._livemode:
            raise BadInput("The event is of the other mode (live or test) than our keys.")
        return event

    def _verified_text(self, body: bytes, signature: str | None) -> str:
        if not signature:
            raise BadSignature("The Stripe-Signature header is missing.")
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise BadInput("The body is not UTF-8.") from None
        if not any(_signed_with(secret, text, signature) for secret in self._secrets):
            raise BadSignature("No signature matches, or the timestamp is too old.")
        if _timestamp(signature) > time.time() + SIGNATURE_TOLERANCE_SECONDS:
            raise BadSignature("The timestamp is in the future.")
        return text


def _signed_with(secret: str, text: str, signature: str) -> bool:
    try:
        WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


def _timestamp(signature: str) -> int:
    """The `t` that verify_header used: it has already been parsed once without complaint."""
    return int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))


def _parse_event(text: str) -> Event:
    """Raises BadInput for anything but a snapshot event."""
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadInput("The body is not usable JSON.") from None
    if not isinstance(data, dict) or data.get("object") != "event":
        raise BadInput(
            "The body is not a snapshot event. Thin events are not accepted: "
            "let the endpoint send snapshot events."
        )
    return _event_from(data, text)


def _event_from(data: Mapping[str, Any], text: str) -> Event:
    try:
        return Event(
            id=_text(data, "id"),
            type=_text(data, "type"),
            api_version=_short_text(data.get("api_version")),
            livemode=data["livemode"] is True,
            created=datetime.fromtimestamp(_whole(data, "created"), UTC),
            object=data["data"]["object"] if isinstance(data["data"]["object"], dict) else {},
            payload=text,
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError, Unprocessable):
        raise BadInput("The event lacks one of id, type, livemode, created, data.object.") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = _short_text(data.get(key))
    if value is None:
        raise Unprocessable(f"{key} is missing or is not a short text.")
    return value


def _short_text(value: object) -> str | None:
    """Text that may be stored: neither empty, nor endless, nor with NULs (PostgreSQL has none)."""
    if not isinstance(value, str) or not 0 < len(value) <= 5_000 or "\0" in value:
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, legal in JSON, storable nowhere
        return None
    return value


def _whole(data: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = data.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_WHOLE:
        raise Unprocessable(f"{key} is missing or is not a whole number in range.")
    return value


def _reference(value: object) -> str | None:
    """An id, given as itself or as the expanded object."""
    return (
        _short_text(value["id"])
        if isinstance(value, dict) and "id" in value
        else _short_text(value)
    )
