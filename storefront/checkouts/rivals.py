"""Rivals: a customer's unfinished checkouts of which only one may be paid. Two subscriptions are,
and two purchases of the same one-time plan."""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from storefront.checkouts.settling import settle
from storefront.checkouts.tables import UNFINISHED, Checkout
from storefront.db import transaction
from storefront.errors import NotFound
from storefront.stripe_gateway import CheckoutSession, StripeGateway


def displace(session: Session, checkout: Checkout) -> list[str]:
    """End the unfinished checkouts beside this one; the sessions that are still to be closed at
    Stripe. A rival without a session cannot have been shown to anybody: it ends here, and whoever
    is just opening it will notice."""
    to_close = []
    for rival in _rivals_of(session, checkout):
        if rival.stripe_session_id is not None:
            to_close.append(rival.stripe_session_id)
        else:
            rival.status = "expired"
    session.flush()
    return to_close


def expire_rivals(gateway: StripeGateway, checkout_id: str) -> None:
    """Close what was opened beside this checkout, which was paid.
    Raises the gateway's errors, and Unprocessable as settle() does."""
    with transaction() as session:
        to_close = displace(session, session.get_one(Checkout, checkout_id))
    for stripe_session_id in to_close:
        close(gateway, stripe_session_id)


def _rivals_of(session: Session, checkout: Checkout) -> list[Checkout]:
    """The unfinished ones beside this checkout, locked, oldest first."""
    query = select(Checkout).where(
        Checkout.user_id == checkout.user_id,
        Checkout.id != checkout.id,
        Checkout.status.in_(UNFINISHED),
        Checkout.mode == checkout.mode,
        or_(Checkout.mode == "subscription", Checkout.plan == checkout.plan),
    )
    ordered = query.order_by(Checkout.created_at, Checkout.id).with_for_update()
    return list(session.scalars(ordered.execution_options(populate_existing=True)))


def close(gateway: StripeGateway, stripe_session_id: str) -> CheckoutSession | None:
    """See to it that a session cannot be paid any more, and apply what has become of it: expired,
    or complete after all. None when Stripe does not know it. Raises as expire_rivals() does."""
    try:
        gateway.expire_checkout_session(stripe_session_id)
        facts = gateway.retrieve_checkout_session(stripe_session_id)
    except NotFound:
        forget(stripe_session_id)
        return None
    with transaction() as session:
        settle(session, facts)
    return facts


def forget(stripe_session_id: str) -> None:
    """Nobody can pay a session that Stripe does not know: it was made with other keys."""
    with transaction() as session:
        session.execute(
            update(Checkout)
            .where(Checkout.stripe_session_id == stripe_session_id, Checkout.status.in_(UNFINISHED))
            .values(status="expired")
        )
