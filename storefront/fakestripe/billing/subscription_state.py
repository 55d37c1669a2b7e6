"""What a subscription becomes: its status, its events, and when something is due next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..account import Work
from ..call import changed
from ..errors import JSON
from ..events import emit
from ..records import Record, equals
from .periods import DAY_SECONDS
from .subscription_body import ENDED, TYPE, first_period_end

INCOMPLETE_SECONDS = 23 * 3600
TRIAL_WARNING_SECONDS = 3 * DAY_SECONDS
TIMER = "subscription_due"


@contextmanager
def changing(work: Work, subscription: Record, event: str = "updated") -> Iterator[JSON]:
    """Change the body inside; afterwards it is saved, told and scheduled, if it differs."""
    before = subscription.shown()
    yield subscription.body
    previous = changed(before, subscription.body)
    if previous:
        work.save(subscription)
        told = previous if event == "updated" else None
        emit(work, f"customer.subscription.{event}", subscription.shown(), told)
    schedule(work, subscription)


def schedule(work: Work, subscription: Record) -> None:
    """Promise the timer for whatever comes due next; a repeated promise changes nothing."""
    moment = next_due(subscription)
    if moment is not None and subscription.private.get("due") != moment:
        subscription.private["due"] = moment
        work.save(subscription)
        work.at(moment, TIMER, subscription.id)


def next_due(subscription: Record) -> int | None:
    """Return the moment at which something happens by itself, None if nothing will."""
    body = subscription.body
    if body["status"] in ENDED or body["status"] == "paused":
        return None
    if body["status"] == "incomplete":
        return int(body["created"]) + INCOMPLETE_SECONDS
    moments = [first_period_end(body)]
    if body["cancel_at"] is not None:
        moments.append(body["cancel_at"])
    if body["status"] == "trialing":
        moments.append(body["trial_end"])
        if not subscription.private.get("trial_end_told"):
            moments.append(body["trial_end"] - TRIAL_WARNING_SECONDS)
    return min(moments)


def end(work: Work, subscription: Record, reason: str | None) -> None:
    """Cancel for good, with the event `customer.subscription.deleted`."""
    body = subscription.body
    body.update(status="canceled", ended_at=work.now, canceled_at=body["canceled_at"] or work.now)
    if reason is not None:
        body["cancellation_details"]["reason"] = reason
    work.save(subscription)
    _stop_drafts(work, subscription)
    emit(work, "customer.subscription.deleted", subscription.shown())


def pause(work: Work, subscription: Record, why: str) -> None:
    """Stop billing until somebody resumes it; `why` is Stripe's word for the cause."""
    body = subscription.body
    body["status"] = "paused"
    body["status_details"] = {
        "paused": {
            "subscription": {"type": why}, "transitioned_at": work.now, "type": "subscription",
        }
    }  # fmt: skip
    work.save(subscription)
    emit(work, "customer.subscription.paused", subscription.shown())


def settled(work: Work, invoice: Record) -> None:
    """Bring the subscription of a paid invoice back to life, if it is the latest one."""
    subscription = of_invoice(work, invoice)
    if subscription is None or subscription.body["latest_invoice"] != invoice.id:
        return
    body = subscription.body
    if body["status"] == "paused" and subscription.private.get("resuming") == invoice.id:
        body.update(status="active", status_details=None)
        work.save(subscription)
        emit(work, "customer.subscription.resumed", subscription.shown())
        schedule(work, subscription)
    elif body["status"] in ("incomplete", "past_due", "unpaid"):
        with changing(work, subscription):
            body["status"] = "active"


def fell_due(work: Work, invoice: Record) -> None:
    """Note that an invoice could not be collected: the subscription is past due."""
    subscription = of_invoice(work, invoice)
    if subscription is not None and subscription.body["status"] in ("active", "trialing"):
        with changing(work, subscription) as body:
            body["status"] = "past_due"


def of_invoice(work: Work, invoice: Record) -> Record | None:
    """Return the subscription that an invoice bills, or None."""
    parent = invoice.body["parent"]
    if parent is None:
        return None
    return work.tx.get(TYPE, parent["subscription_details"]["subscription"])


def _stop_drafts(work: Work, subscription: Record) -> None:
    """Leave what was not collected yet to people, as Stripe does after a cancellation."""
    name = "parent.subscription_details.subscription"
    for invoice in work.tx.records.all("invoice", equals(name, subscription.id)):
        if invoice.body["status"] in ("draft", "open"):
            invoice.body.update(auto_advance=False, next_payment_attempt=None,
                                automatically_finalizes_at=None)  # fmt: skip
            work.save(invoice)
