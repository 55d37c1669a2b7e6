"""Promising that Stripe is asked what is true now: with the change that makes us ask."""

from sqlalchemy.orm import Session

from storefront import jobs


def promise_sync(session: Session, subscription_id: str, cause: str) -> None:
    """Have the subscription that Stripe calls so fetched, once for each cause (an event's id)."""
    jobs.promise(
        session,
        "sync_subscription",
        {"subscription": subscription_id},
        key=f"sync_subscription:{subscription_id}:{cause}",
    )


def promise_invoices(session: Session, customer_id: str, cause: str) -> None:
    """Have the invoices fetched of the customer whom Stripe calls so, and credit what is paid."""
    jobs.promise(
        session,
        "sync_invoices",
        {"customer": customer_id},
        key=f"sync_invoices:{customer_id}:{cause}",
    )
