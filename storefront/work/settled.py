"""What follows money that came in. One job is promised with the credit itself, which must be quick;
it promises all the others."""

from storefront import jobs, reversals
from storefront.db import transaction
from storefront.jobs import Args
from storefront.payments import Payment
from storefront.subscriptions import Invoice
from storefront.work.context import Context
from storefront.work.reports import is_reported


def payment_settled(context: Context, args: Args) -> None:
    """A top-up or a one-time purchase was paid: {"payment_id": …}."""
    with transaction() as session:
        payment = session.get_one(Payment, args["payment_id"])
        named = {"payment_id": payment.id}
        jobs.promise(session, "mail_receipt", named, key=f"mail_receipt:{payment.id}")
        if payment.amount_received and is_reported(session, context, payment.user_id):
            jobs.promise(session, "ga4_purchase", named, key=f"ga4_purchase:{payment.id}")


def invoice_paid(context: Context, args: Args) -> None:
    """An invoice was paid, and its lines were credited: {"invoice_id": …}. Where its money has gone
    back already, so do the credits. One without money (of a trial, or when a change of plan gave
    money back) has neither receipt nor report."""
    with transaction() as session:
        reversals.follow_grants(session, args["invoice_id"])
        invoice = session.get_one(Invoice, args["invoice_id"])
        if invoice.amount_paid == 0:
            return
        named = {"invoice_id": invoice.id}
        key = f"mail_invoice_receipt:{invoice.id}"
        jobs.promise(session, "mail_invoice_receipt", named, key=key)
        if is_reported(session, context, invoice.user_id):
            jobs.promise(session, "ga4_purchase", named, key=f"ga4_purchase:{invoice.id}")
