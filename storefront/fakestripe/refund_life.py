"""A refund's life: made, pending, succeeded, failed, canceled; and what its charge shows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import balance
from .account import Work
from .behaviour import LATE_SECONDS
from .call import changed
from .errors import JSON
from .events import emit
from .ids import new_id, random_text
from .payment_methods import behaviour_of
from .records import Record, equals

TYPE = "refund"
SETTLED_AFTER_SECONDS = LATE_SECONDS
# The bank's reference comes later than the success, as an update that changes no status.
REFERENCE_AFTER_SECONDS = 24 * 3600
ACTION_EXPIRES_SECONDS = 45 * 24 * 3600

# How a refund goes: the name of the course -> the status that it is made with.
SUCCEEDS, PENDING, FAILS, REQUIRES_ACTION = "succeeds", "pending", "fails", "requires_action"
COURSES = {
    SUCCEEDS: "succeeded",
    PENDING: "pending",
    FAILS: "succeeded",
    REQUIRES_ACTION: "requires_action",
}
FAILURE_REASONS = (
    "expired_or_canceled_card", "lost_or_stolen_card", "charge_for_pending_refund_disputed",
    "insufficient_funds", "declined", "merchant_request", "unknown",
)  # fmt: skip
_TRANSFERS = {"us_bank_account": "us_bank_transfer", "sepa_debit": "eu_bank_transfer"}


@dataclass(frozen=True)
class Wish:
    """What somebody asked for when making a refund; the amount is in minor units."""

    amount: int
    course: str
    reason: str | None = None
    metadata: JSON = field(default_factory=dict)
    instructions_email: str | None = None


def course_of(work: Work, charge: Record) -> str:
    """Return how refunds of a charge go: by its card's line in the table, debits pending first."""
    if charge.body["payment_method_details"]["type"] != "card":
        return PENDING
    method = work.find("payment_method", charge.body["payment_method"], "payment_method")
    courses = {"refund_pending": PENDING, "refund_fails": FAILS}
    return courses.get(behaviour_of(method).aftermath or "", SUCCEEDS)


def make(work: Work, charge: Record, wish: Wish) -> Record:
    """Store a refund of a captured charge with its balance transaction, and tell of both."""
    refund = work.add(_new_body(work, charge, wish), {"course": wish.course})
    about = charge.body["description"]
    refund.body["balance_transaction"] = balance.record_refund(work, refund.body, about).id
    work.save(refund)
    before = charge.shown()
    _count(work, charge, wish.amount)
    if wish.course in (PENDING, FAILS):
        work.later(SETTLED_AFTER_SECONDS, "settle_refund", refund.id)
    if refund.body["status"] == "succeeded":
        work.later(REFERENCE_AFTER_SECONDS, "reference_refund", refund.id)
    emit(work, "refund.created", refund.shown())
    emit(work, "charge.refunded", charge.shown(), changed(before, charge.body))
    return refund


def succeed(work: Work, refund: Record) -> None:
    """End a refund that was pending or waited for the customer: the money arrived."""
    before = refund.shown()
    refund.body.update(status="succeeded", pending_reason=None, next_action=None)
    work.later(REFERENCE_AFTER_SECONDS, "reference_refund", refund.id)
    tell_changed(work, refund, before)


def fail(work: Work, refund: Record, reason: str) -> None:
    """End a refund badly, even one that had succeeded: its money is back in the account."""
    before = refund.shown()
    _return(work, refund)
    refund.body.update(status="failed", failure_reason=reason)
    tell_changed(work, refund, before)
    emit(work, "refund.failed", refund.shown())


def cancel(work: Work, refund: Record) -> None:
    """Call off a refund that waits for the customer."""
    before = refund.shown()
    _return(work, refund)
    refund.body.update(status="canceled")
    tell_changed(work, refund, before)


def fail_pending(work: Work, charge: Record) -> None:
    """Fail what is on its way back when the bank itself takes the money of the charge."""
    for refund in work.tx.records.all(TYPE, equals("charge", charge.id)):
        if refund.body["status"] in ("pending", "requires_action"):
            fail(work, refund, "charge_for_pending_refund_disputed")


def tell_changed(work: Work, refund: Record, before: JSON) -> None:
    """Store a changed refund and tell of it, by today's name and by the older one."""
    work.save(refund)
    previous = changed(before, refund.body)
    emit(work, "refund.updated", refund.shown(), previous)
    emit(work, "charge.refund.updated", refund.shown(), previous)


def settle(work: Work, id: str) -> None:
    """Do what a refund's course says (the timer of pending and of failing refunds)."""
    refund = work.tx.get(TYPE, id)
    if refund is None:
        return
    status = refund.body["status"]
    if refund.private["course"] == FAILS and status == "succeeded":
        fail(work, refund, FAILURE_REASONS[0])
    elif refund.private["course"] == PENDING and status == "pending":
        succeed(work, refund)


def refer(work: Work, id: str) -> None:
    """Let the bank's reference for a succeeded refund arrive (a timer)."""
    refund = work.tx.get(TYPE, id)
    if refund is None or refund.body["status"] != "succeeded":
        return
    before = refund.shown()
    destination = refund.body["destination_details"]
    number = {"reference": random_text(23).upper(), "reference_status": "available"}
    destination[destination["type"]].update(number)
    tell_changed(work, refund, before)


def _new_body(work: Work, charge: Record, wish: Wish) -> JSON:
    status = COURSES[wish.course]
    return {
        "id": new_id("re"),
        "object": TYPE,
        "amount": wish.amount,
        "balance_transaction": None,
        "charge": charge.id,
        "created": work.now,
        "currency": charge.body["currency"],
        "customer": charge.body["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": _destination(charge.body["payment_method_details"]["type"]),
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": wish.instructions_email,
        "metadata": wish.metadata,
        "next_action": _next_action(work, wish) if status == "requires_action" else None,
        "payment_intent": charge.body["payment_intent"],
        "payment_method": charge.body["payment_method"],
        "pending_reason": "processing" if status == "pending" else None,
        "presentment_details": None,
        "reason": wish.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def _destination(method: str) -> JSON:
    reference: dict[str, Any] = {"reference": None, "reference_status": "pending"}
    if method in _TRANSFERS:
        return {"type": _TRANSFERS[method], _TRANSFERS[method]: reference}
    card = {**reference, "reference_type": "acquirer_reference_number", "type": "refund"}
    return {"type": "card", "card": card}


def _next_action(work: Work, wish: Wish) -> JSON:
    sent = {"email_sent_at": work.now, "email_sent_to": wish.instructions_email}
    details = {"email_sent": sent, "expires_at": work.now + ACTION_EXPIRES_SECONDS}
    return {"type": "display_details", "display_details": details}


def _return(work: Work, refund: Record) -> None:
    """Give a refund's money back to the account, and to what its charge has left."""
    charge = work.find("charge", refund.body["charge"], "charge")
    back = balance.record_refund_failure(work, refund.body, charge.body["description"])
    refund.body.update(failure_balance_transaction=back.id, pending_reason=None, next_action=None)
    _count(work, charge, -refund.body["amount"])


def _count(work: Work, charge: Record, amount: int) -> None:
    refunded = charge.body["amount_refunded"] + amount
    charge.body["amount_refunded"] = refunded
    charge.body["refunded"] = refunded == charge.body["amount_captured"]
    work.save(charge)


TIMERS: dict[str, Callable[[Work, str], None]] = {
    "settle_refund": settle,
    "reference_refund": refer,
}
