"""Subscriptions: our mirror of Stripe, its invoices, and the credits that paid periods bring.

sync() and sync_invoices() ask Stripe what is true now and store it; paid invoices are credited
once. grant_due() grants the installments of what was paid for a year. The rest reads.
"""

from storefront.subscriptions.billing import sync_invoices
from storefront.subscriptions.granting import grant_due, owed
from storefront.subscriptions.mirror import sync
from storefront.subscriptions.promises import promise_invoices, promise_sync
from storefront.subscriptions.reading import ever, find, invoices, live, of_user
from storefront.subscriptions.stopping import resume_installments, stop_installments
from storefront.subscriptions.tables import (
    CHANGEABLE,
    LIVE,
    OVER,
    Invoice,
    PlanCredit,
    Subscription,
)

__all__ = [
    "CHANGEABLE",
    "LIVE",
    "OVER",
    "Invoice",
    "PlanCredit",
    "Subscription",
    "ever",
    "find",
    "grant_due",
    "invoices",
    "live",
    "of_user",
    "owed",
    "promise_invoices",
    "promise_sync",
    "resume_installments",
    "stop_installments",
    "sync",
    "sync_invoices",
]
