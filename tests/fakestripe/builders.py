"""Plain builders for what most tests need."""

from __future__ import annotations

from typing import Any

import stripe

RETURN_URL = "https://shop.example/return"
CARD = {"exp_month": 12, "exp_year": 2040, "cvc": "123"}


def payment_intent(client: stripe.StripeClient, **params: Any) -> stripe.PaymentIntent:
    """Create an intent over $10.00 that takes cards without redirects."""
    automatic = {"enabled": True, "allow_redirects": "never"}
    given: Any = {"amount": 1000, "currency": "usd", "automatic_payment_methods": automatic}
    everything: Any = {**given, **params}
    return client.v1.payment_intents.create(everything)


def paid(client: stripe.StripeClient, method: str = "pm_card_visa", **params: Any) -> Any:
    """Create and confirm an intent in one call."""
    return payment_intent(client, payment_method=method, confirm=True, **params)


def card_method(client: stripe.StripeClient, number: str, **card: Any) -> stripe.PaymentMethod:
    """Create a payment method from a raw card number."""
    cvc = "1234" if number.startswith("3") else "123"
    params: Any = {"type": "card", "card": {**CARD, "cvc": cvc, "number": number, **card}}
    return client.v1.payment_methods.create(params)


def customer(client: stripe.StripeClient, **params: Any) -> stripe.Customer:
    return client.v1.customers.create(params or {"email": "jo@example.com"})  # type: ignore[arg-type]
