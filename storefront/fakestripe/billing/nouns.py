"""The billing resources: what they answer, and what they do when the clock has moved."""

from __future__ import annotations

from collections.abc import Callable

from ..account import Work
from ..call import Endpoint
from . import (
    checkout_completion,  # noqa: F401  sessions hear about their intents through it
    checkout_sessions,
    collection,
    coupons,
    invoice_items,
    invoice_payments,
    invoice_start,
    invoices,
    payment_pages,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    promotion_codes,
    setup_intents,
    subscription_clock,
    subscription_items,
    subscriptions,
)

ENDPOINTS: list[Endpoint] = [
    *checkout_sessions.ENDPOINTS,
    *coupons.ENDPOINTS,
    *invoice_items.ENDPOINTS,
    *invoice_payments.ENDPOINTS,
    *invoice_start.ENDPOINTS,
    *invoices.ENDPOINTS,
    *payment_pages.ENDPOINTS,
    *portal_configurations.ENDPOINTS,
    *portal_sessions.ENDPOINTS,
    *prices.ENDPOINTS,
    *products.ENDPOINTS,
    *promotion_codes.ENDPOINTS,
    *setup_intents.ENDPOINTS,
    *subscription_items.ENDPOINTS,
    *subscriptions.ENDPOINTS,
]
TIMERS: dict[str, Callable[[Work, str], None]] = {
    **checkout_sessions.TIMERS,
    **collection.TIMERS,
    **invoice_payments.TIMERS,
    **subscription_clock.TIMERS,
}
