"""Mails to customers: each job finds out what is true when it is done, and sends one mail."""

from storefront import users
from storefront.db import db, end_reading
from storefront.jobs import Args, GiveUp
from storefront.ledger import Transfer
from storefront.mail import Undeliverable
from storefront.money import format_money
from storefront.payments import Payment
from storefront.work.context import Context


def mail_receipt(context: Context, args: Args) -> None:
    """Tell the customer that a payment succeeded: {"payment_id": …}."""
    session = db.session()
    payment = session.get_one(Payment, args["payment_id"])
    transfer = session.get_one(Transfer, f"payment:{payment.id}")
    email = users.find(payment.user_id).email
    payment_id = payment.id
    facts = {
        "payment_id": payment_id,
        "amount": format_money(payment.amount_cents, payment.currency),
        "credits": f"{payment.credits:,}",
        "paid_at": f"{transfer.happened_at:%-d %B %Y, %H:%M} UTC",
    }
    end_reading()  # no transaction waits for the mail server
    try:
        context.mailer.send("receipt", email, id=f"receipt.{payment_id}", **facts)
    except Undeliverable as error:
        raise GiveUp(str(error)) from None
