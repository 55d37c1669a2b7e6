"""Reading subscriptions and invoices: one query each."""

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session

from storefront.subscriptions.tables import LIVE, Invoice, Subscription


def of_user(session: Session, user_id: str) -> list[Subscription]:
    """All that the customer ever had, the newest first."""
    query = select(Subscription).where(Subscription.user_id == user_id)
    newest = (Subscription.started_at.desc(), Subscription.stripe_subscription_id.desc())
    return list(session.scalars(query.order_by(*newest)))


def find(session: Session, stripe_subscription_id: str) -> Subscription | None:
    """Our row of the subscription that Stripe calls so, whosever it is."""
    named = Subscription.stripe_subscription_id == stripe_subscription_id
    return session.scalar(select(Subscription).where(named))


def live(session: Session, user_id: str) -> Subscription | None:
    """The subscription that the customer would change instead of buying another; None when there
    is none that is not over."""
    rank = case({status: number for number, status in enumerate(LIVE)}, value=Subscription.status)
    return session.scalar(
        select(Subscription)
        .where(Subscription.user_id == user_id, Subscription.status.in_(LIVE))
        .order_by(rank, Subscription.started_at.desc(), Subscription.stripe_subscription_id.desc())
        .limit(1)
    )


def ever(session: Session, user_id: str) -> bool:
    """True when the customer has, or has had, a subscription; one that was never paid for counts,
    too."""
    return bool(session.scalar(select(exists().where(Subscription.user_id == user_id))))


def invoices(session: Session, user_id: str, limit: int = 12) -> list[Invoice]:
    """The customer's latest invoices of subscriptions, the newest first, without drafts."""
    return list(
        session.scalars(
            select(Invoice)
            .where(Invoice.user_id == user_id, Invoice.status != "draft")
            .order_by(Invoice.created_at.desc(), Invoice.id.desc())
            .limit(limit)
        )
    )
