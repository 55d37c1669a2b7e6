"""Mails about payments. Each job finds out what is true when it is done, and sends one mail, or
none when there is nothing left to say. Those about subscriptions stand in subscription_mails.py."""

import logging

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront import users
from storefront.db import db, end_reading
from storefront.jobs import Args, GiveUp
from storefront.mail import Undeliverable
from storefront.money import format_money
from storefront.payments import Payment
from storefront.stripe_gateway import InvoiceFacts, InvoiceLine, StripeGateway
from storefront.subscriptions import Invoice, PlanCredit
from storefront.work.context import Context
from storefront.work.telling import day, minute, paid_at

log = logging.getLogger(__name__)


def send(context: Context, template: str, to: str, *, id: str, **facts: object) -> None:
    """One mail. No transaction is open meanwhile; a hopeless address gives the job up."""
    end_reading()
    try:
        context.mailer.send(template, to, id=id, **facts)
    except Undeliverable as error:
        raise GiveUp(str(error)) from None


def mail_receipt(context: Context, args: Args) -> None:
    """Tell the customer that a payment succeeded, and what it brought: {"payment_id": …}."""
    session = db.session()
    payment = session.get_one(Payment, args["payment_id"])
    purchase = payment.kind == "purchase"
    send(
        context,
        "receipt",
        users.find(payment.user_id).email,
        id=f"receipt.{payment.id}",
        payment_id=payment.id,
        bought=context.catalog.name_of(payment.pack_or_plan) if purchase else None,
        quantity=payment.quantity,
        amount=format_money(payment.amount_received, payment.currency),
        nothing_to_pay=payment.amount_received == 0,
        credits=f"{payment.credits:,}" if payment.credits else None,
        paid_at=minute(paid_at(session, payment)),
    )


def mail_invoice_receipt(context: Context, args: Args) -> None:
    """Tell the customer that a subscription was paid, for which period, and what credits that
    brought: {"invoice_id": …}. The period is asked of Stripe: it stands in the invoice's lines."""
    end_reading()
    facts = context.gateway.retrieve_invoice(args["invoice_id"])
    session = db.session()
    invoice = session.get_one(Invoice, facts.id)
    credits, more_to_come = _credits_of(session, facts.id)
    send(
        context,
        "invoice_receipt",
        users.find(invoice.user_id).email,
        id=f"invoice_receipt.{facts.id}",
        bought=invoice.description or "Your subscription",
        amount=format_money(facts.amount_paid, facts.currency),
        period=_period(facts.lines),
        credits=f"{credits:,}" if credits else None,
        more_to_come=more_to_come,
        number=facts.number or facts.id,
        paid_at=minute(facts.paid_at or facts.created),
        invoice_url=facts.hosted_invoice_url,
    )


def mail_payment_failed(context: Context, args: Args) -> None:
    """Ask the customer for another card, or for a word to the bank: {"invoice_id": …}. What Stripe
    says now counts: an invoice that was paid meanwhile, or is no longer to be paid, is no news."""
    end_reading()
    facts = context.gateway.retrieve_invoice(args["invoice_id"])
    if facts.status != "open":
        log.info("no mail about invoice %s: it is %s by now", facts.id, facts.status)
        return
    bank_asks = facts.hosted_invoice_url is not None and _bank_asks(context.gateway, facts)
    session = db.session()
    user_id = users.of_stripe_customer(session, facts.customer_id)
    if user_id is None:
        log.info("no mail about invoice %s: its customer is unknown here", facts.id)
        return
    invoice = session.get(Invoice, facts.id)
    again_at = facts.next_payment_attempt
    send(
        context,
        "payment_failed",
        users.find(user_id).email,
        id=f"payment_failed.{facts.id}.{facts.attempt_count}",
        bought=invoice.description if invoice else "",
        amount=format_money(facts.amount_due - facts.amount_paid, facts.currency),
        bank_asks=bank_asks,
        again_on=day(again_at) if again_at else None,
        invoice_url=facts.hosted_invoice_url,
    )


def _credits_of(session: Session, invoice_id: str) -> tuple[int, bool]:
    """What an invoice has brought so far, and whether more comes month by month."""
    query = select(func.coalesce(func.sum(PlanCredit.granted), 0), func.max(PlanCredit.next_at))
    granted, next_at = session.execute(query.where(PlanCredit.invoice_id == invoice_id)).one()
    return int(granted), next_at is not None


def _period(lines: tuple[InvoiceLine, ...]) -> str | None:
    """From the first to the last day that is paid for; a line that gives money back tells only of
    time on another plan."""
    charged = [line for line in lines if line.amount >= 0]
    if not charged:
        return None
    start = min(line.period_start for line in charged)
    return f"{day(start)} to {day(max(line.period_end for line in charged))}"


def _bank_asks(gateway: StripeGateway, facts: InvoiceFacts) -> bool:
    """Whether the payment waits for the customer to approve it at the bank (3-D Secure)."""
    if facts.intent_id is None:
        return False
    intent = gateway.retrieve_payment_intent(facts.intent_id)
    return intent.status == "requires_action" or intent.failure_code == "authentication_required"
