"""The operators' pages, one file each. They need no script."""

from storefront.web.admin import (
    audit,
    corrections,
    customers,
    events,
    jobs,
    ledger,
    overview,
    payments,
    reconcile,
    refunds,
)
from storefront.web.admin.blueprint import bp

__all__ = [
    "audit",
    "bp",
    "corrections",
    "customers",
    "events",
    "jobs",
    "ledger",
    "overview",
    "payments",
    "reconcile",
    "refunds",
]
