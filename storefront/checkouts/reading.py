"""What is known of checkouts and of what was bought by them. Nothing here asks Stripe."""

from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from storefront.checkouts.tables import Checkout
from storefront.errors import NotFound
from storefront.payments import Payment
from storefront.subscriptions import Invoice, Subscription

BOUGHT = ("succeeded", "processing")
"""States of a purchase that is made or under way: nobody buys the same again meanwhile."""

Standing = Literal["open", "expired", "processing", "failed", "active"]


def find(session: Session, checkout_id: str, user_id: str) -> Checkout:
    """The customer's own checkout. Raises NotFound alike for a missing and a foreign one."""
    return _own(session, Checkout.id == checkout_id, user_id)


def find_by_session(session: Session, stripe_session_id: str, user_id: str) -> Checkout:
    """The same by Stripe's name for it, as it stands in the address of the success page."""
    return _own(session, Checkout.stripe_session_id == stripe_session_id, user_id)


def purchases(session: Session, user_id: str) -> list[Payment]:
    """The customer's one-time purchases, paid or being paid, newest first."""
    mine = _purchases_of(user_id).order_by(Payment.created_at.desc(), Payment.id.desc())
    return list(session.scalars(mine))


def owned(session: Session, user_id: str, plan: str) -> int:
    """How many of a one-time plan the customer has, or is paying for; what all the money is
    back of (as Payment.kept says) does not count."""
    gone = Payment.amount_refunded + Payment.amount_disputed
    kept = or_(gone == 0, gone < Payment.amount_received)
    mine = _purchases_of(user_id).where(Payment.pack_or_plan == plan, kept).subquery()
    return int(session.scalar(select(func.coalesce(func.sum(mine.c.quantity), 0))) or 0)


def subscriptions_to_fetch(session: Session, user_id: str) -> list[str]:
    """Stripe's names for subscriptions that the customer's checkouts have made, and that have no
    row yet: their job waits for a worker, or for Stripe."""
    known = select(Subscription.id).where(
        Subscription.stripe_subscription_id == Checkout.stripe_subscription_id
    )
    mine = select(Checkout.stripe_subscription_id).where(
        Checkout.user_id == user_id,
        Checkout.stripe_subscription_id.is_not(None),
        ~known.exists(),
    )
    return [id for id in session.scalars(mine) if id is not None]


def standing(session: Session, checkout: Checkout) -> Standing:
    """Where a checkout stands for its customer: still `open`, `expired`, `processing` (a slow
    bank, or Stripe has not told everything yet), `failed`, or `active`: what was bought is there,
    with its credits."""
    if checkout.status in ("opened", "open"):
        return "open"
    if checkout.status == "expired":
        return "expired"
    if checkout.mode == "subscription":
        return "active" if _subscription_is_here(session, checkout) else "processing"
    assert checkout.payment_id is not None, "a complete checkout has its payment"
    payment = session.get_one(Payment, checkout.payment_id)
    if payment.status == "canceled":
        return "failed"
    return "active" if payment.status == "succeeded" else "processing"


def _subscription_is_here(session: Session, checkout: Checkout) -> bool:
    """Its row, no longer incomplete, and its first invoice with the credits."""
    credited = and_(
        Invoice.stripe_subscription_id == Subscription.stripe_subscription_id,
        Invoice.credited_at.is_not(None),
    )
    here = select(Subscription.id).where(
        Subscription.stripe_subscription_id == checkout.stripe_subscription_id,
        Subscription.user_id == checkout.user_id,
        Subscription.status != "incomplete",
        select(Invoice.id).where(credited).exists(),
    )
    return session.scalar(here) is not None


def _own(session: Session, condition: ColumnElement[bool], user_id: str) -> Checkout:
    checkout = session.scalar(select(Checkout).where(condition, Checkout.user_id == user_id))
    if checkout is None:
        raise NotFound("There is no such checkout in this account.")
    return checkout


def _purchases_of(user_id: str) -> Select[Payment]:
    return select(Payment).where(
        Payment.user_id == user_id,
        Payment.kind == "purchase",
        Payment.status.in_(BOUGHT),
    )
