"""Sales and refunds reported to Google Analytics, if the customer still allows it."""

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import analytics, users
from storefront.analytics import Item, Sale
from storefront.catalog import Catalog
from storefront.db import db, end_reading, utcnow
from storefront.jobs import Args
from storefront.payments import Payment
from storefront.subscriptions import Invoice, Subscription
from storefront.users import User
from storefront.work.context import Context
from storefront.work.telling import paid_at

log = logging.getLogger(__name__)


def ga4_purchase(context: Context, args: Args) -> None:
    """Report what was paid: {"payment_id": …} or {"invoice_id": …}."""
    user_id, sale = _sale(db.session(), context.catalog, args)
    _report(context, "purchase", user_id, sale)


def ga4_refund(context: Context, args: Args) -> None:
    """Report what was given back of a sale: {"payment_id": …} or {"invoice_id": …}, "amount" in
    minor units, "refunded_at" as ISO text in UTC."""
    user_id, sale = _sale(db.session(), context.catalog, args)
    refunded_at = datetime.fromisoformat(args["refunded_at"])
    _report(context, "refund", user_id, Sale(sale.id, args["amount"], sale.currency, refunded_at))


def is_reported(session: Session, context: Context, user_id: str) -> bool:
    """Whether there is anything to promise; the job asks again when it is done."""
    consents = session.get_one(User, user_id).analytics_client is not None
    return consents and analytics.configured(context.config)


def _report(context: Context, event: analytics.Event, user_id: str, sale: Sale) -> None:
    client_id = users.find(user_id).analytics_client
    end_reading()  # no transaction waits for the network
    if client_id is None:
        log.info("the %s of %s is not reported: the customer does not allow it", event, sale.id)
    elif not analytics.configured(context.config):
        log.info("the %s of %s is not reported: GA4 is not configured any more", event, sale.id)
    else:
        analytics.report(context.config, event, client_id, sale, utcnow())


def _sale(session: Session, catalog: Catalog, args: Args) -> tuple[str, Sale]:
    """Whose it is, and what is reported of it."""
    if "invoice_id" in args:
        invoice = session.get_one(Invoice, args["invoice_id"])
        return invoice.user_id, _of_invoice(session, invoice)
    payment = session.get_one(Payment, args["payment_id"])
    return payment.user_id, _of_payment(session, catalog, payment)


def _of_payment(session: Session, catalog: Catalog, payment: Payment) -> Sale:
    """The item's price is before discounts, the amount what was paid."""
    code, quantity = payment.pack_or_plan, payment.quantity
    item = Item(code, catalog.name_of(code), payment.amount_cents // quantity, quantity)
    happened_at = paid_at(session, payment)
    return Sale(payment.id, payment.amount_received, payment.currency, happened_at, (item,))


def _of_invoice(session: Session, invoice: Invoice) -> Sale:
    of_subscription = Subscription.stripe_subscription_id == invoice.stripe_subscription_id
    plan = session.scalar(select(Subscription.plan).where(of_subscription)) or "subscription"
    item = Item(plan, invoice.description or plan, invoice.amount_paid, 1)
    paid_at = invoice.paid_at or invoice.created_at
    return Sale(invoice.id, invoice.amount_paid, invoice.currency, paid_at, (item,))
