"""Card testing: somebody tries whether stolen cards work, on the smallest pack there is, often from
a new account. Stripe's Radar stands in front of us; this is what a shop itself can see and limit.

How many payments may be opened is counted per account and per network address. How often a
customer's bank has declined is told by Stripe's events of the last hour, so that nothing is counted
twice however often they come; at the limit no payment is opened for that customer until it is
past, and the one that was being tried is canceled at Stripe, whose form would otherwise go on
taking cards.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront import attempts, jobs
from storefront.attempts import Limit
from storefront.db import utcnow
from storefront.errors import TooMany
from storefront.inbox import StripeEvent
from storefront.payments import UNPAID, Payment

WINDOW = timedelta(hours=1)
OPENED_PER_ACCOUNT = 60
DECLINES_PER_ACCOUNT = 10
"""In WINDOW. Somebody who mistypes tries three or four times."""

DECLINED = "payment_intent.payment_failed"


def admit(session: Session, user_id: str, network: str, per_network: int) -> None:
    """Count a payment that is about to be opened. Raises TooMany, with the seconds to wait."""
    if declines(session, user_id) >= DECLINES_PER_ACCOUNT:
        raise TooMany(
            "Too many cards were declined. Please wait an hour, and ask your bank meanwhile.",
            retry_after_seconds=int(WINDOW.total_seconds()),
        )
    attempts.take(
        Limit("open_payment", user_id, OPENED_PER_ACCOUNT, WINDOW),
        Limit("open_payment_network", network, per_network, WINDOW),
    )


def stop_at_the_limit(session: Session, payment: Payment) -> None:
    """After a decline: have the payment ended if it was one too many."""
    if payment.status in UNPAID and declines(session, payment.user_id) >= DECLINES_PER_ACCOUNT:
        jobs.promise(
            session, "end_payment", {"payment_id": payment.id}, key=f"end_payment:{payment.id}"
        )


def declines(session: Session, user_id: str) -> int:
    """How many of this customer's tries to pay for a top-up were declined in the last hour."""
    return session.scalar(
        select(func.count())
        .select_from(StripeEvent)
        .join(Payment, Payment.stripe_intent_id == StripeEvent.object_id)
        .where(
            Payment.user_id == user_id,
            StripeEvent.type == DECLINED,
            StripeEvent.created > utcnow() - WINDOW,
        )
    ) or 0  # fmt: skip
