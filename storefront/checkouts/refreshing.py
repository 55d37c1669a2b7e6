"""Asking Stripe what became of a checkout, so that the success page waits for nobody."""

from datetime import timedelta

from storefront import subscriptions
from storefront.catalog import Catalog
from storefront.checkouts.reading import standing
from storefront.checkouts.settling import settle
from storefront.checkouts.tables import Checkout
from storefront.db import db, transaction, utcnow
from storefront.stripe_gateway import CheckoutSession, StripeGateway

ASKING_INTERVAL = timedelta(seconds=2)
FAILED_INTENTS = ("requires_payment_method", "canceled")


def refresh(gateway: StripeGateway, catalog: Catalog, livemode: bool, checkout: Checkout) -> None:
    """Ask Stripe what is true of a checkout, and apply it as webhook and worker would; at most
    once in ASKING_INTERVAL, so that a polling page cannot become a load on Stripe, and no more
    once everything is there.

    Raises the gateway's errors, and Unprocessable as settle() does.
    """
    idle = abs(utcnow() - checkout.updated_at)  # written by a clock that is ahead, perhaps
    if checkout.stripe_session_id is None or idle < ASKING_INTERVAL:
        return
    if standing(db.session(), checkout) not in ("open", "processing"):
        return
    facts = gateway.retrieve_checkout_session(checkout.stripe_session_id)
    failed = payment_has_failed(gateway, facts)
    with transaction() as session:
        settle(session, facts, failed=failed)
        checkout.updated_at = utcnow()
    follow_subscription(gateway, catalog, livemode, facts)


def follow_subscription(
    gateway: StripeGateway, catalog: Catalog, livemode: bool, facts: CheckoutSession
) -> None:
    """Fetch the subscription that a session has made, and its invoices, by the functions that the
    worker uses. Nothing to do for any other session."""
    if facts.status != "complete" or facts.subscription_id is None or facts.customer_id is None:
        return
    subscriptions.sync(gateway, catalog, livemode, facts.subscription_id)
    subscriptions.sync_invoices(gateway, catalog, livemode, facts.customer_id)


def payment_has_failed(gateway: StripeGateway, facts: CheckoutSession) -> bool:
    """Whether the slow payment of a complete session did not come; its intent alone tells."""
    if facts.status != "complete" or facts.payment_status != "unpaid" or facts.intent_id is None:
        return False
    return gateway.retrieve_payment_intent(facts.intent_id).status in FAILED_INTENTS
