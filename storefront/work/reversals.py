"""What follows money that flowed back: Stripe is asked, credits follow, people are told."""

import logging

from storefront import jobs, reversals, users
from storefront.db import db, transaction
from storefront.errors import Unprocessable
from storefront.jobs import Args, GiveUp
from storefront.money import format_money
from storefront.payments import Payment
from storefront.reversals import Dispute, Refund
from storefront.subscriptions import Invoice
from storefront.work.context import Context
from storefront.work.mails import send
from storefront.work.reports import is_reported
from storefront.work.telling import minute
from storefront.work.upkeep import BATCH

log = logging.getLogger(__name__)


def sync_reversals(context: Context, args: Args) -> None:
    """Fetch what went back of a payment: {"intent": "pi_…"}. What contradicts our rows waits for a
    person, among the jobs that were given up."""
    try:
        reversals.sync(context.gateway, context.catalog, context.config.livemode, args["intent"])
    except Unprocessable as error:
        raise GiveUp(error.detail) from error


def follow_grants(_context: Context, _args: Args) -> None:
    """Take back the part of new installments that was refunded of their invoices."""
    while True:
        found = reversals.invoices_to_follow(db.session(), BATCH)
        for invoice_id in found:
            with transaction() as session:
                reversals.follow_grants(session, invoice_id)
        if len(found) < BATCH:
            return


def refund_made(context: Context, args: Args) -> None:
    """A refund is on its way: {"refund_id": …}. Promise what follows."""
    with transaction() as session:
        refund = session.get_one(Refund, args["refund_id"])
        jobs.promise(session, "mail_refund", args, key=f"mail_refund:{refund.id}")
        if is_reported(session, context, refund.user_id):
            told = {"amount": refund.amount, "refunded_at": refund.created_at.isoformat()}
            jobs.promise(
                session, "ga4_refund", _source(refund) | told, key=f"ga4_refund:{refund.id}"
            )


def mail_refund(context: Context, args: Args) -> None:
    """Tell the customer of a refund, and of the credits it took: {"refund_id": …}. One that has
    failed meanwhile is no news: another mail says so."""
    refund = db.session().get_one(Refund, args["refund_id"])
    if not refund.claim:
        log.info("no mail about refund %s: it is %s by now", refund.id, refund.status)
        return
    _send(context, "refund", refund)


def mail_refund_failed(context: Context, args: Args) -> None:
    """Tell the customer that a refund did not arrive: {"refund_id": …}."""
    _send(context, "refund_failed", db.session().get_one(Refund, args["refund_id"]))


def mail_dispute(context: Context, args: Args) -> None:
    """Tell the customer what a dispute took from the account: {"dispute_id": …}. One whose money
    came back meanwhile is no news."""
    dispute = db.session().get_one(Dispute, args["dispute_id"])
    if not dispute.claim:
        log.info("no mail about dispute %s: its money is back", dispute.id)
        return
    _send(context, "dispute", dispute)


def _send(context: Context, template: str, row: Refund | Dispute) -> None:
    session = db.session()
    user = users.find(row.user_id)
    send(
        context,
        template,
        user.email,
        id=f"{template}.{row.id}",
        amount=format_money(row.amount, row.currency),
        bought=_bought(context, row),
        taken=f"{row.credits_taken:,}" if row.credits_taken else None,
        returned=f"{row.credits_returned:,}" if row.credits_returned else None,
        made_at=minute(row.created_at),
        payment_id=row.payment_id,
        invoice_number=_number(session.get(Invoice, row.invoice_id) if row.invoice_id else None),
    )


def _source(row: Refund) -> dict[str, str]:
    if row.payment_id is not None:
        return {"payment_id": row.payment_id}
    assert row.invoice_id is not None
    return {"invoice_id": row.invoice_id}


def _bought(context: Context, row: Refund | Dispute) -> str:
    """What the money had paid."""
    session = db.session()
    if row.payment_id is not None:
        payment = session.get_one(Payment, row.payment_id)
        return context.catalog.name_of(payment.pack_or_plan)
    invoice = session.get_one(Invoice, row.invoice_id)
    return invoice.description or "Your subscription"


def _number(invoice: Invoice | None) -> str | None:
    return (invoice.number or invoice.id) if invoice else None
