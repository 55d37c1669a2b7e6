"""A visit to Checkout that came to nothing, brought to its end at Stripe and here."""

from datetime import timedelta

from storefront import users
from storefront.checkouts.refreshing import payment_has_failed
from storefront.checkouts.rivals import close
from storefront.checkouts.settling import PAID, settle
from storefront.checkouts.tables import UNFINISHED, Checkout
from storefront.db import db, transaction
from storefront.errors import NotFound
from storefront.payments import Ending
from storefront.stripe_gateway import CheckoutSession, StripeGateway

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much Stripe's clock and ours may disagree about when a session was made."""


def end(gateway: StripeGateway, checkout_id: str, *, dry_run: bool = False) -> Ending:
    """See to it that a checkout cannot be paid any more, or apply that it was: Stripe decides, also
    when the customer pays at this very moment. With `dry_run`, only what would be done.

    A row without a session (we died between the call and its answer) is looked up among the
    customer's sessions, by our id in their metadata.
    Raises the gateway's errors, and Unprocessable as settle() does.
    """
    checkout = db.session().get_one(Checkout, checkout_id)
    unfinished = checkout.status in UNFINISHED
    sessions = _sessions_of(gateway, checkout)
    does = _would_end if dry_run else _ended
    endings = [does(gateway, facts) for facts in sessions]
    if set(endings) - {"canceled"}:
        return next(ending for ending in endings if ending != "canceled")
    if not dry_run:
        _close(checkout_id)
    return "canceled" if unfinished or sessions else "left alone"


def _sessions_of(gateway: StripeGateway, checkout: Checkout) -> list[CheckoutSession]:
    """What Stripe has for this checkout now: mostly one session, after a crash perhaps none, after
    failed attempts perhaps several. A complete one comes first: it is the one that counts."""
    known_id = checkout.stripe_session_id
    if known_id is not None:
        try:
            return [gateway.retrieve_checkout_session(known_id)]
        except NotFound:
            return []
    customer_id = users.find(checkout.user_id).stripe_customer_id
    if customer_id is None:
        return []
    since, checkout_id = checkout.created_at - CLOCKS_DIFFER, checkout.id
    try:
        listed = gateway.list_checkout_sessions_of(customer_id, since)
    except NotFound:
        return []
    ours = [facts for facts in listed if facts.checkout_id == checkout_id]
    return sorted(ours, key=lambda facts: facts.status != "complete")


def _ended(gateway: StripeGateway, facts: CheckoutSession) -> Ending:
    """Close the session, unless it is complete, and apply what became of it."""
    if facts.status == "open":
        closed = close(gateway, facts.id)
        if closed is None or closed.status == "expired":
            return "canceled"
        facts = closed
    failed = payment_has_failed(gateway, facts)
    with transaction() as session:
        settle(session, facts, failed=failed)
    return _ending(facts, failed)


def _would_end(gateway: StripeGateway, facts: CheckoutSession) -> Ending:
    return _ending(facts, payment_has_failed(gateway, facts))


def _ending(facts: CheckoutSession, failed: bool) -> Ending:
    if facts.status != "complete" or failed:
        return "canceled"
    return "settled" if facts.payment_status in PAID or facts.subscription_id else "left alone"


def _close(checkout_id: str) -> None:
    """Close a row that no session settles: there is none, or it does not fit. (Whoever is just
    opening it will notice, as with rivals.)"""
    with transaction() as session:
        checkout = session.get_one(
            Checkout, checkout_id, with_for_update=True, populate_existing=True
        )
        if checkout.status in UNFINISHED:
            checkout.status = "expired"
