"""Subscriptions: our mirror of Stripe, its invoices, and the credits that paid periods bring."""

from storefront.subscriptions.tables import LIVE, OVER, Invoice, PlanCredit, Subscription

__all__ = ["LIVE", "OVER", "Invoice", "PlanCredit", "Subscription"]
