"""Money that flows back: refunds, disputes, early fraud warnings, and the credits they take along.

apply_refund(), apply_dispute() and apply_warning() are the one function for each of these effects,
called by the webhook and by sync(), which asks Stripe what has gone back of a payment. Whatever
comes, in whatever order, how many credits are back depends on the sum of what is claimed alone.
follow_grants() keeps that true for an invoice whose installments go on.
"""

from storefront.reversals.barring import refuse_top_up, spend
from storefront.reversals.disputes import apply_dispute
from storefront.reversals.following import follow_grants, invoices_to_follow
from storefront.reversals.issuer_warnings import apply_warning
from storefront.reversals.reading import (
    Reversals,
    fraud_warnings,
    of_invoice,
    of_payment,
    open_disputes,
    refunded_of,
)
from storefront.reversals.refunds import apply_refund
from storefront.reversals.syncing import sync
from storefront.reversals.tables import ACTIVE, Dispute, FraudWarning, InvoiceClaim, Refund

__all__ = [
    "ACTIVE",
    "Dispute",
    "FraudWarning",
    "InvoiceClaim",
    "Refund",
    "Reversals",
    "apply_dispute",
    "apply_refund",
    "apply_warning",
    "follow_grants",
    "fraud_warnings",
    "invoices_to_follow",
    "of_invoice",
    "of_payment",
    "open_disputes",
    "refunded_of",
    "refuse_top_up",
    "spend",
    "sync",
]
