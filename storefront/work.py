"""What workers do: kind of job -> function, and the schedule. The only place where both stand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from storefront import jobs, ledger, users
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.db import db, end_reading, transaction, utcnow
from storefront.jobs import Args, GiveUp, Registry, Scheduled
from storefront.ledger import Transfer
from storefront.mail import Mailer, Undeliverable
from storefront.money import format_money
from storefront.payments import Payment
from storefront.stripe_gateway import StripeGateway

BATCH = 100


@dataclass(frozen=True)
class Context:
    """What the functions may use; handed to them, so that none reaches for the app."""

    config: Config
    catalog: Catalog
    gateway: StripeGateway
    mailer: Mailer


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


def expire_credits(_context: Context, _args: Args) -> None:
    """Take back what remains of lots whose time has come."""
    now = utcnow()
    while True:
        with transaction() as session:
            if ledger.expire_due(session, now, BATCH) < BATCH:
                return


def prune_jobs(_context: Context, _args: Args) -> None:
    """Delete done jobs that nobody needs any more."""
    while True:
        with transaction() as session:
            if jobs.prune(session, BATCH) < BATCH:
                return


HANDLERS: dict[str, Callable[[Context, Args], None]] = {
    "mail_receipt": mail_receipt,  # a payment was settled
}

SCHEDULE = (
    Scheduled("expire_credits", timedelta(minutes=1), expire_credits),
    Scheduled("prune_jobs", timedelta(hours=1), prune_jobs),
)


def registry(context: Context) -> Registry:
    """All functions by kind, scheduled ones by their name, ready to be called with arguments."""
    scheduled = {each.name: each.function for each in SCHEDULE}
    return {kind: partial(do, context) for kind, do in (HANDLERS | scheduled).items()}
