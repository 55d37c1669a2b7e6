"""How a payment intent is shown: in full to a secret key, reduced to a browser."""

from __future__ import annotations

from .errors import JSON, ApiError
from .records import Record

# What a publishable key with the client secret may see (Stripe.js's PaymentIntent).
PUBLIC = (
    "id", "object", "amount", "amount_details", "automatic_payment_methods", "canceled_at",
    "cancellation_reason", "capture_method", "client_secret", "confirmation_method", "created",
    "currency", "description", "last_payment_error", "livemode", "next_action", "payment_method",
    "payment_method_configuration_details", "payment_method_types", "processing",
    "receipt_email", "setup_future_usage", "shipping", "source", "status",
)  # fmt: skip


def public(intent: Record) -> JSON:
    """Return the intent without what only the merchant may know."""
    body = intent.shown()
    return {name: body[name] for name in PUBLIC}


def view(intent: Record, publishable: bool) -> JSON:
    """Return the intent as the caller's key may see it."""
    return public(intent) if publishable else intent.shown()


def unexpected_state(intent: Record, message: str, publishable: bool) -> ApiError:
    """Return the 400 for a request that the intent's status does not allow."""
    return ApiError(
        400,
        message,
        code="payment_intent_unexpected_state",
        executed=True,
        payment_intent=view(intent, publishable),
    )


def wrong_status(
    intent: Record, verb: str, allowed: tuple[str, ...], publishable: bool
) -> ApiError:
    """Return Stripe's sentence naming the statuses in which a verb is allowed."""
    return unexpected_state(
        intent,
        f"You cannot {verb} this PaymentIntent because it has a status of"
        f" {intent.body['status']}. Only a PaymentIntent with one of the following statuses may be"
        f" {_PARTICIPLES[verb]}: {', '.join(allowed)}.",
        publishable,
    )


_PARTICIPLES = {"confirm": "confirmed", "cancel": "canceled", "capture": "captured"}
