"""A dispute's life: an inquiry or a chargeback, evidence, its end; and the money it moves."""

from __future__ import annotations

from collections.abc import Callable

from . import balance, early_fraud_warnings, refund_life
from .account import Work
from .call import changed
from .dispute_body import due_by, new_body
from .errors import JSON
from .events import emit
from .records import Record, equals

TYPE = "dispute"
DECIDED_AFTER_SECONDS = 5  # after the evidence that decides it, as in Stripe's sandbox
INQUIRY_SECONDS = 120 * 24 * 3600  # an inquiry that became nothing closes after that

WINNING, LOSING = "winning_evidence", "losing_evidence"
ESCALATING = "escalate_inquiry_evidence"
WAITING = ("needs_response", "warning_needs_response")  # for the merchant
OPEN = (*WAITING, "under_review", "warning_under_review")
_REVIEW = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}


def open_dispute(work: Work, charge: Record, amount: int, reason: str, *, inquiry: bool) -> Record:
    """Store a dispute of a captured charge; a chargeback takes its money at once."""
    dispute = work.add(new_body(work.now, charge.body, amount, reason, inquiry=inquiry))
    charge.body["disputed"] = True
    work.save(charge)
    if inquiry:
        work.later(INQUIRY_SECONDS, "close_inquiry", dispute.id)
    else:
        _charge_back(work, dispute, charge)
    emit(work, "charge.dispute.created", dispute.shown())
    if not inquiry:
        emit(work, "charge.dispute.funds_withdrawn", dispute.shown())
    early_fraud_warnings.settle(work, charge)
    return dispute


def submit(work: Work, dispute: Record) -> None:
    """Send the evidence to the bank, which decides by its text, or lets it be decided."""
    dispute.body["status"] = _REVIEW[dispute.body["status"]]
    details = dispute.body["evidence_details"]
    details["submission_count"] += 1
    details["submission_method"] = "manual"
    if dispute.body["evidence"]["uncategorized_text"] in (WINNING, LOSING, ESCALATING):
        work.later(DECIDED_AFTER_SECONDS, "decide_dispute", dispute.id)


def tell_updated(work: Work, dispute: Record, before: JSON) -> None:
    """Store a dispute that the merchant has answered, and tell of it."""
    work.save(dispute)
    previous = changed(before, dispute.body)
    if previous:
        emit(work, "charge.dispute.updated", dispute.shown(), previous)


def win(work: Work, dispute: Record) -> None:
    """End a chargeback in the merchant's favour: its money comes back, its fee does not."""
    before = dispute.shown()
    back = balance.record_reinstatement(work, dispute.body)
    dispute.body["balance_transactions"].append(back.shown())
    dispute.body.update(status="won", is_charge_refundable=True)
    _tell_closed(work, dispute, before)
    emit(work, "charge.dispute.funds_reinstated", dispute.shown())


def lose(work: Work, dispute: Record) -> None:
    """End a chargeback in the customer's favour: the money stays gone."""
    before = dispute.shown()
    dispute.body["status"] = "lost"
    _tell_closed(work, dispute, before)


def close_inquiry(work: Work, dispute: Record) -> None:
    """End an inquiry that became no chargeback."""
    before = dispute.shown()
    dispute.body["status"] = "warning_closed"
    _tell_closed(work, dispute, before)


def escalate(work: Work, dispute: Record) -> None:
    """Make a chargeback of an inquiry; new evidence can be given."""
    before = dispute.shown()
    charge = work.find("charge", dispute.body["charge"], "charge")
    dispute.body["status"] = "needs_response"
    dispute.body["payment_method_details"]["card"]["case_type"] = "chargeback"
    _charge_back(work, dispute, charge)
    tell_updated(work, dispute, before)
    emit(work, "charge.dispute.funds_withdrawn", dispute.shown())


def is_inquiry(dispute: Record) -> bool:
    """Tell whether no money has moved yet."""
    status: str = dispute.body["status"]
    return status.startswith("warning_")


def of_charge(work: Work, charge: Record) -> list[Record]:
    """Return the disputes of a charge, newest first."""
    return work.tx.records.all(TYPE, equals("charge", charge.id))


def blocks_refunds(work: Work, charge: Record) -> bool:
    """Tell whether the bank has taken the money of a charge, so that none can be refunded."""
    return any(not it.body["is_charge_refundable"] for it in of_charge(work, charge))


def close_refunded_inquiries(work: Work, charge: Record) -> None:
    """End the inquiries about a charge that is refunded in full."""
    for dispute in of_charge(work, charge):
        if dispute.body["status"] in OPEN and is_inquiry(dispute):
            close_inquiry(work, dispute)


def decide(work: Work, id: str) -> None:
    """Decide by the text of the evidence (a timer)."""
    dispute = work.tx.get(TYPE, id)
    if dispute is None or dispute.body["status"] not in _REVIEW.values():
        return
    text = dispute.body["evidence"]["uncategorized_text"]
    if is_inquiry(dispute):
        (close_inquiry if text == WINNING else escalate)(work, dispute)
    elif text == WINNING:
        win(work, dispute)
    elif text == LOSING:
        lose(work, dispute)


def expire(work: Work, id: str) -> None:
    """Lose a chargeback that nobody has answered in time (a timer)."""
    dispute = work.tx.get(TYPE, id)
    if dispute is not None and dispute.body["status"] == "needs_response":
        lose(work, dispute)


def expire_inquiry(work: Work, id: str) -> None:
    """Close an inquiry that has rested for long enough (a timer)."""
    dispute = work.tx.get(TYPE, id)
    if dispute is not None and dispute.body["status"] in OPEN and is_inquiry(dispute):
        close_inquiry(work, dispute)


def _charge_back(work: Work, dispute: Record, charge: Record) -> None:
    """Take the money and the fee; refunds of the charge are not possible any more."""
    taken = balance.record_withdrawal(work, dispute.body)
    dispute.body["balance_transactions"].append(taken.shown())
    dispute.body["is_charge_refundable"] = False
    due = dispute.body["evidence_details"]["due_by"] = due_by(work.now)
    work.save(dispute)
    work.at(due + 1, "expire_dispute", dispute.id)
    refund_life.fail_pending(work, charge)


def _tell_closed(work: Work, dispute: Record, before: JSON) -> None:
    work.save(dispute)
    emit(work, "charge.dispute.closed", dispute.shown(), changed(before, dispute.body))


TIMERS: dict[str, Callable[[Work, str], None]] = {
    "decide_dispute": decide,
    "expire_dispute": expire,
    "close_inquiry": expire_inquiry,
}
