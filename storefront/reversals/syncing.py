"""Asking Stripe what has gone back of a payment: where an event was missed, said too little, or was
about a payment that we had not heard of yet."""

import logging

from sqlalchemy import exists, select

from storefront import checkouts, payments, subscriptions, users
from storefront.catalog import Catalog
from storefront.db import db, transaction
from storefront.errors import NotFound
from storefront.payments import Payment
from storefront.reversals import sources
from storefront.reversals.disputes import apply_dispute
from storefront.reversals.issuer_warnings import apply_warning
from storefront.reversals.refunds import apply_refund
from storefront.stripe_gateway import StripeGateway
from storefront.subscriptions import Invoice

log = logging.getLogger(__name__)


def sync(gateway: StripeGateway, catalog: Catalog, livemode: bool, intent_id: str) -> bool:
    """Fetch every refund, dispute and warning of what a payment intent paid, and apply each as its
    event would be. False, with the reason in the log, for a payment that is not ours.

    A payment of ours that we do not know to be paid is settled first, by the functions for that.
    Raises Unprocessable when something contradicts our rows, StripeUnavailable, StripeRefused.
    """
    try:
        if not _is_known(intent_id):
            _settle(gateway, catalog, livemode, intent_id)
        refunds = gateway.list_refunds(intent_id)
        disputes = gateway.list_disputes(intent_id)
        warnings = gateway.list_fraud_warnings(intent_id)
    except NotFound:
        log.info("what went back of %s is ignored: Stripe does not know it", intent_id)
        return False
    with transaction() as session:
        if sources.find(session, intent_id) is None:
            log.info("what went back of %s is ignored: it paid nothing of ours", intent_id)
            return False
        for refund in sorted(refunds, key=lambda it: (it.created, it.id)):
            apply_refund(session, refund)
        for dispute in disputes:
            apply_dispute(session, dispute, asked=True)
        for warning in warnings:
            apply_warning(session, warning)
    return True


def _is_known(intent_id: str) -> bool:
    """Whether a row of ours says that this intent has paid it."""
    session = db.session()
    payment = exists().where(Payment.stripe_intent_id == intent_id, Payment.status == "succeeded")
    invoice = exists().where(Invoice.stripe_intent_id == intent_id, Invoice.amount_paid > 0)
    return bool(session.scalar(select(payment | invoice)))


def _settle(gateway: StripeGateway, catalog: Catalog, livemode: bool, intent_id: str) -> None:
    """Learn what the intent paid: a top-up, a purchase at Checkout, or a customer's invoice."""
    intent = gateway.retrieve_payment_intent(intent_id)
    visit = gateway.find_checkout_session(intent_id)
    with transaction() as session:
        if visit is not None:
            checkouts.settle(session, visit)
        else:
            payments.settle(session, intent, asked=True)
    if intent.customer_id is None or _is_known(intent_id):
        return
    if users.of_stripe_customer(db.session(), intent.customer_id) is not None:
        subscriptions.sync_invoices(gateway, catalog, livemode, intent.customer_id)
