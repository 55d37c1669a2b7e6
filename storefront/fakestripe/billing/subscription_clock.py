"""What a subscription does by itself as time goes by: warn, end a trial, renew, cancel, expire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..account import Work
from ..events import emit
from ..ids import new_id
from ..records import Record
from . import collection
from . import subscription_state as state
from .invoice_body import Bill, Charge
from .periods import next_boundary
from .subscription_body import ENDED, TYPE, first_period_end, items_of, set_period
from .subscription_start import period_charge, use_up_discounts


def tick(work: Work, id: str) -> None:
    """Do the one thing that is due now, and plan the next (the timer of a subscription)."""
    subscription = work.tx.get(TYPE, id)
    if subscription is None or subscription.body["status"] in ENDED:
        return
    if (subscription.private.get("due") or 0) <= work.now:  # else a later timer is set already
        subscription.private["due"] = None
    moment = state.next_due(subscription)
    if moment is not None and moment <= work.now:
        _do(work, subscription, moment)
    work.save(subscription)
    state.schedule(work, subscription)


def _do(work: Work, subscription: Record, moment: int) -> None:
    body = subscription.body
    if body["status"] == "incomplete":
        _expire(work, subscription)
    elif body["cancel_at"] is not None and body["cancel_at"] <= moment:
        state.end(work, subscription, None)
    elif body["status"] == "trialing" and moment < body["trial_end"]:
        subscription.private["trial_end_told"] = True
        work.save(subscription)
        emit(work, "customer.subscription.trial_will_end", subscription.shown())
    elif body["status"] == "trialing":
        _end_trial(work, subscription)
    else:
        renew(work, subscription, "subscription_cycle")


def _expire(work: Work, subscription: Record) -> None:
    """Give up a subscription whose first payment did not come within 23 hours."""
    with state.changing(work, subscription) as body:
        body.update(status="incomplete_expired", ended_at=work.now)
    invoice = work.tx.get("invoice", subscription.body["latest_invoice"])
    if invoice is not None and invoice.body["status"] == "open":
        collection.close_unpaid(work, invoice, "void", "invoice.voided")


def _end_trial(work: Work, subscription: Record) -> None:
    """Begin to bill; without a card the trial's settings say what happens instead."""
    if lacks_a_card(work, subscription):
        end_without_card(work, subscription)
    else:
        renew(work, subscription, "subscription_cycle")


def lacks_a_card(work: Work, subscription: Record) -> bool:
    """Tell whether the end of the trial cancels or pauses for want of a card."""
    customer = work.tx.get("customer", subscription.body["customer"])
    if collection.saved_method(work, customer, subscription) is not None:
        return False
    return _missing_card_behaviour(subscription) in ("cancel", "pause")


def end_without_card(work: Work, subscription: Record) -> None:
    """Cancel or pause, as the trial's settings say."""
    if _missing_card_behaviour(subscription) == "cancel":
        state.end(work, subscription, None)
    else:
        state.pause(work, subscription, "trial_end_without_payment_method")


def _missing_card_behaviour(subscription: Record) -> str:
    return str(subscription.body["trial_settings"]["end_behavior"]["missing_payment_method"])


def renew(work: Work, subscription: Record, reason: str, *, at_once: bool = False) -> Record:
    """Move the items that have run out into their next period and bill it.

    The draft waits for an hour unless `at_once`; an unpaid subscription's stays a draft.
    """
    body, id = subscription.body, new_id("in")
    boundary = first_period_end(body)
    waits = not at_once and body["status"] != "unpaid"
    with state.changing(work, subscription):
        old = (min(item["current_period_start"] for item in items_of(body)), boundary)
        charges = pending(subscription) + _next_periods(work, subscription, boundary)
        body["latest_invoice"] = id
        if body["status"] == "trialing":
            body["status"] = "active"
    customer = work.tx.get("customer", body["customer"])
    assert customer is not None
    bill = Bill(customer, subscription, charges, reason, old, list(body["discounts"]))
    invoice = collection.draft(work, bill, id, waits=waits)
    if body["status"] == "unpaid":
        invoice.body["auto_advance"] = False
        work.save(invoice)
    use_up_discounts(work, subscription, invoice.body)
    return invoice


def pending(subscription: Record) -> list[Charge]:
    """Take the prorations that were left for the next invoice."""
    kept: list[dict[str, Any]] = subscription.private.pop("pending", [])
    return [Charge(**charge) for charge in kept]


def _next_periods(work: Work, subscription: Record, boundary: int) -> list[Charge]:
    charges = []
    for item in items_of(subscription.body):
        if item["current_period_end"] > boundary:
            continue
        anchor = subscription.body["billing_cycle_anchor"]
        end = next_boundary(anchor, item["price"]["recurring"], boundary)
        set_period(item, boundary, end)
        charges.append(period_charge(work, item))
    return charges


TIMERS: dict[str, Callable[[Work, str], None]] = {state.TIMER: tick}
