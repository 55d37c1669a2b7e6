"""Pausing a subscription in the Customer Portal, and resuming it (the feature of 2026-10)."""

from __future__ import annotations

from ..account import Work
from ..errors import ApiError, invalid
from ..records import Record
from . import subscription_state as state
from .subscription_body import first_period_end
from .subscriptions import start_over, wake

PAUSABLE = ("active", "past_due", "trialing")
UNPAID = "The first payment is still open: pay the open invoice, and the subscription goes on."


def allowed(work: Work, portal: Record) -> bool:
    """Tell whether the session's configuration lets customers pause and resume."""
    id = portal.body["configuration"]
    configuration = work.find("billing_portal.configuration", id, "configuration")
    return bool(configuration.body["features"]["subscription_pause"]["enabled"])


def pause(work: Work, portal: Record, subscription: Record) -> None:
    """Pause at once; nothing is billed until the subscription is resumed."""
    _check(work, portal)
    if subscription.body["status"] not in PAUSABLE:
        raise invalid("This subscription cannot be paused.", "subscription")
    state.pause(work, subscription, "pause_requested")


def resume(work: Work, portal: Record, subscription: Record) -> None:
    """Go on: in the period that is paid for, or with a new one that is charged at once.

    Raise a 402 when that charge fails; its invoice stays open, and paying it resumes.
    """
    _check(work, portal)
    if subscription.body["status"] != "paused":
        raise invalid("This subscription is not paused.", "subscription")
    if first_period_end(subscription.body) > work.now:
        wake(work, subscription)
        return
    begun = work.tx.get("invoice", subscription.private.get("resuming") or "")
    if begun is None or begun.body["status"] != "open":
        start_over(work, subscription)
    if subscription.body["status"] == "paused":
        raise ApiError(402, UNPAID, type="card_error", executed=True)


def _check(work: Work, portal: Record) -> None:
    if not allowed(work, portal):
        raise invalid("The portal's configuration does not allow this.", "subscription_pause")
