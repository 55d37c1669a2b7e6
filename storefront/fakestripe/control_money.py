"""`/_control/payments…`, `/refunds…`, `/disputes…`: what a Dashboard, a bank or an issuer does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Blueprint, Response, jsonify

from . import dispute_life, early_fraud_warnings, refund_life, refunds
from .account import Work, current_account
from .control_input import (
    BadRequest,
    NotFound,
    choice,
    flag,
    given,
    guard,
    integer,
    limit,
    refuse,
    text,
)
from .dispute_body import REASONS
from .errors import JSON, ApiError
from .records import Query, Record, equals
from .refund_life import COURSES, FAILURE_REASONS, Wish

bp = Blueprint("fakestripe_control_money", __name__, url_prefix="/_control")
bp.before_request(guard)
bp.register_error_handler(BadRequest, refuse)

MAX_AMOUNT = 10**12
REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
DISPUTE_REASONS = tuple(REASONS)


@bp.errorhandler(ApiError)
def refuse_as_stripe(error: ApiError) -> tuple[Response, int]:
    """Answer a refusal of the API's own rules with its sentence."""
    return jsonify({"error": error.message}), error.status


@bp.get("/payments")
def payments() -> Response:
    """List charges that took money, newest first, each with what became of the money."""
    with current_account().store.reading() as tx:
        paid, _ = tx.records.page(Query("charge", (equals("captured", True),), limit()))
        work = Work(current_account(), tx)
        listed = [_payment(work, charge) for charge in paid]
    return jsonify(data=listed, dispute_reasons=DISPUTE_REASONS)


@bp.post("/payments/<id>/refund")
def refund(id: str) -> tuple[Response, int]:
    """Refund a payment, all that is left or `amount`; `course` says how the refund goes."""
    with _writing() as work:
        charge = _charge(work, id)
        amount = integer("amount", 1, MAX_AMOUNT) if "amount" in given() else None
        course = choice("course", tuple(COURSES), refund_life.course_of(work, charge))
        email = text("email")
        if course == refund_life.REQUIRES_ACTION and not email:
            raise BadRequest("email is missing: the customer is asked there where the money goes")
        wish = Wish(
            refunds.amount_to_refund(work, charge, amount),
            course,
            choice("reason", REFUND_REASONS) if "reason" in given() else None,
            instructions_email=email,
        )
        return jsonify(refunds.refund(work, charge, wish).shown()), 201


@bp.post("/payments/<id>/dispute")
def dispute(id: str) -> tuple[Response, int]:
    """Open a dispute of a payment for its `reason`, as an `inquiry` or a chargeback."""
    with _writing() as work:
        charge = _charge(work, id)
        reason = choice("reason", DISPUTE_REASONS, "fraudulent")
        inquiry = flag("inquiry")
        captured = charge.body["amount_captured"]
        left = captured - charge.body["amount_refunded"]
        amount = integer("amount", 1, captured, left or captured)
        _check_disputable(work, charge)
        opened = dispute_life.open_dispute(work, charge, amount, reason, inquiry=inquiry)
        return jsonify(opened.shown()), 201


@bp.post("/payments/<id>/early_fraud_warning")
def early_fraud_warning(id: str) -> tuple[Response, int]:
    """Let the issuer warn of a payment."""
    types = early_fraud_warnings.FRAUD_TYPES
    with _writing() as work:
        charge = _charge(work, id)
        kind = choice("fraud_type", types, types[0])
        return jsonify(early_fraud_warnings.warn(work, charge, kind).shown()), 201


@bp.post("/refunds/<id>")
def settle_refund(id: str) -> Response:
    """Let a refund become `succeeded` or `failed`, with its `failure_reason`."""
    with _writing() as work:
        record = _existing(work, "refund", id)
        wanted = choice("status", ("succeeded", "failed"))
        _check_possible(record, _REFUND_ENDS[wanted], wanted)
        if wanted == "succeeded":
            refund_life.succeed(work, record)
        else:
            reason = choice("failure_reason", FAILURE_REASONS, FAILURE_REASONS[0])
            refund_life.fail(work, record, reason)
        return jsonify(record.shown())


@bp.post("/disputes/<id>")
def decide_dispute(id: str) -> Response:
    """Let a dispute become `won`, `lost`, `warning_closed`, or an inquiry `escalated`."""
    with _writing() as work:
        record = _existing(work, "dispute", id)
        outcome = choice("outcome", tuple(_OUTCOMES))
        decide, possible = _OUTCOMES[outcome]
        _check_possible(record, possible, outcome)
        decide(work, record)
        return jsonify(record.shown())


_REFUND_ENDS = {
    "succeeded": ("pending", "requires_action"),
    "failed": ("pending", "requires_action", "succeeded"),
}
_INQUIRY = ("warning_needs_response", "warning_under_review")
_CHARGEBACK = ("needs_response", "under_review")
# Outcome -> what does it, and the statuses in which it is possible.
_OUTCOMES: dict[str, tuple[Callable[[Work, Record], None], tuple[str, ...]]] = {
    "won": (dispute_life.win, _CHARGEBACK),
    "lost": (dispute_life.lose, _CHARGEBACK),
    "warning_closed": (dispute_life.close_inquiry, _INQUIRY),
    "escalated": (dispute_life.escalate, _INQUIRY),
}


@contextmanager
def _writing() -> Iterator[Work]:
    with current_account().store.writing() as tx:
        yield Work(current_account(), tx)


def _existing(work: Work, type: str, id: str) -> Record:
    record = work.tx.get(type, id)
    if record is None:
        raise NotFound(f"there is no {type} {id}")
    return record


def _charge(work: Work, id: str) -> Record:
    """Return the charge that an id of a charge or a payment intent names, if it took money."""
    intent = work.tx.get("payment_intent", id)
    charge = refunds.charge_of(work, intent) if intent else _existing(work, "charge", id)
    if not charge.body["captured"]:
        raise BadRequest(f"{charge.id} took no money: its status is {charge.body['status']}")
    return charge


def _check_disputable(work: Work, charge: Record) -> None:
    for record in dispute_life.of_charge(work, charge):
        status = record.body["status"]
        if status not in ("warning_closed", "won"):
            raise BadRequest(f"{charge.id} is disputed already: {record.id} is {status}")


def _check_possible(record: Record, statuses: tuple[str, ...], wanted: str) -> None:
    if record.body["status"] not in statuses:
        raise BadRequest(
            f"{record.id} cannot become {wanted}: its status is {record.body['status']}, and it"
            f" would have to be {' or '.join(statuses)}"
        )


def _payment(work: Work, charge: Record) -> JSON:
    of_it = equals("charge", charge.id)
    types = {
        "refunds": "refund",
        "disputes": "dispute",
        "early_fraud_warnings": early_fraud_warnings.TYPE,
    }
    found = {name: work.tx.records.all(type, of_it) for name, type in types.items()}
    return {
        "charge": charge.shown(),
        "refundable": not dispute_life.blocks_refunds(work, charge) and not charge.body["refunded"],
        **{name: [record.shown() for record in records] for name, records in found.items()},
    }
