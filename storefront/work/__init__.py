"""What workers do: kind of job -> function, and the schedule. The only place where both stand."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from storefront import jobs
from storefront.db import transaction, utcnow
from storefront.jobs import Args, EntryState, Registry, Scheduled
from storefront.work.context import Context
from storefront.work.events import catch_up, prune_events, retry_events
from storefront.work.mails import mail_invoice_receipt, mail_payment_failed, mail_receipt
from storefront.work.reconciling import reconcile
from storefront.work.refunds import make_refund
from storefront.work.reports import ga4_purchase, ga4_refund
from storefront.work.reversals import (
    follow_grants,
    mail_dispute,
    mail_refund,
    mail_refund_failed,
    refund_made,
    sync_reversals,
)
from storefront.work.settled import invoice_paid, payment_settled
from storefront.work.stale import expire_stale
from storefront.work.subscription_mails import mail_subscription_cancelled, mail_trial_ending
from storefront.work.syncs import (
    end_payment,
    expire_checkouts,
    grant_plan_credits,
    refresh_prices,
    sync_invoices,
    sync_subscription,
)
from storefront.work.upkeep import (
    expire_credits,
    prune_jobs,
    prune_sessions,
    seal_ledger,
    sum_up_days,
    verify_ledger,
)

__all__ = ["HANDLERS", "SCHEDULE", "Context", "catch_up_at_start", "registry", "schedule_state"]

HANDLERS: dict[str, Callable[[Context, Args], None]] = {
    "payment_settled": payment_settled,  # promises what follows a top-up or a one-time purchase
    "invoice_paid": invoice_paid,  # and what follows a subscription's payment
    "mail_receipt": mail_receipt,
    "mail_invoice_receipt": mail_invoice_receipt,
    "mail_payment_failed": mail_payment_failed,
    "mail_trial_ending": mail_trial_ending,
    "mail_subscription_cancelled": mail_subscription_cancelled,
    "ga4_purchase": ga4_purchase,
    "ga4_refund": ga4_refund,
    "sync_subscription": sync_subscription,  # something happened to it: fetch what is true
    "sync_invoices": sync_invoices,  # and credit those that are paid
    "refund_made": refund_made,  # promises what follows money that goes back
    "mail_refund": mail_refund,
    "mail_refund_failed": mail_refund_failed,
    "mail_dispute": mail_dispute,
    "sync_reversals": sync_reversals,  # an event told too little: fetch what went back
    "make_refund": make_refund,  # an operator ordered one
    "end_payment": end_payment,  # too many cards were declined: no more on this one
    "expire_checkouts": expire_checkouts,  # one was paid: the others must not be
}

SCHEDULE = (
    Scheduled("expire_credits", timedelta(minutes=1), expire_credits),
    Scheduled("seal_ledger", timedelta(minutes=1), seal_ledger),
    Scheduled("grant_plan_credits", timedelta(minutes=1), grant_plan_credits),
    Scheduled("follow_grants", timedelta(minutes=1), follow_grants),
    Scheduled("refresh_prices", timedelta(hours=1), refresh_prices),
    Scheduled("retry_events", timedelta(seconds=30), retry_events),
    Scheduled("catch_up", timedelta(minutes=10), catch_up),
    Scheduled("expire_stale", timedelta(hours=1), expire_stale),
    Scheduled("reconcile", timedelta(days=1), reconcile),
    Scheduled("sum_up_days", timedelta(hours=1), sum_up_days),
    Scheduled("verify_ledger", timedelta(days=1), verify_ledger),
    Scheduled("prune_jobs", timedelta(hours=1), prune_jobs),
    Scheduled("prune_sessions", timedelta(days=1), prune_sessions),
    Scheduled("prune_events", timedelta(hours=1), prune_events),
)


def registry(context: Context) -> Registry:
    """All functions by kind, scheduled ones by their name, ready to be called with arguments."""
    scheduled = {each.name: jobs.recorded(each.name, each.function) for each in SCHEDULE}
    return {kind: partial(do, context) for kind, do in (HANDLERS | scheduled).items()}


def schedule_state(session: Session) -> list[EntryState]:
    """Where each entry of the schedule stands, in its order, for whoever shows it."""
    return jobs.schedule_state(session, SCHEDULE, utcnow())


def catch_up_at_start() -> None:
    """Have a worker that starts look at once for events that came while there was none, also when
    the period's run was done already."""
    now = utcnow()
    scheduled = next(each for each in SCHEDULE if each.function is catch_up)
    extra = f"{jobs.RUN_PREFIX}{scheduled.name}:start:{now:%Y-%m-%dT%H:%M:%SZ}"
    with transaction() as session:
        if not jobs.promise(session, scheduled.name, {}, key=scheduled.key(now)):
            jobs.promise(session, scheduled.name, {}, key=extra)
