"""`/v1/refunds`: money given back, by the payment intent or by the charge."""

from __future__ import annotations

from stripe.params import (
    ChargeListRefundsParams,
    RefundCancelParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
    RefundUpdateParams,
)

from . import dispute_life, early_fraud_warnings, refund_life
from .account import Work
from .call import Call, Endpoint, updated
from .currencies import shown
from .errors import JSON, ApiError, invalid
from .lists import list_object
from .records import Record, equals
from .refund_life import TYPE, Wish, course_of

# Declared by the SDK, but about parts of Stripe (Connect, cash balances) that are not here.
_NOT_OFFERED = ("currency", "customer", "origin", "refund_application_fee", "reverse_transfer")


def create(call: Call) -> JSON:
    """Refund what is left of a payment, or a part of it."""
    params = call.params
    for name in _NOT_OFFERED:
        if name in params:
            raise invalid(f"fakestripe does not offer the parameter {name} of refunds.", name)
    charge = _named_charge(call)
    wish = Wish(
        amount_to_refund(call.work, charge, params.get("amount")),
        course_of(call.work, charge),
        params.get("reason"),
        updated({}, params.get("metadata")),
        params.get("instructions_email"),
    )
    return refund(call.work, charge, wish).shown()


def retrieve(call: Call) -> JSON:
    """Answer one refund."""
    return call.target(TYPE).shown()


def update(call: Call) -> JSON:
    """Change a refund's metadata, which is all that can be changed."""
    record = call.target(TYPE)
    before = record.shown()
    if "metadata" in call.params:
        record.body["metadata"] = updated(record.body["metadata"], call.params["metadata"])
    if record.body != before:
        refund_life.tell_changed(call.work, record, before)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List refunds, of one charge or payment intent if asked."""
    names = ("charge", "payment_intent")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    return list_object(call.tx, TYPE, "/v1/refunds", call.params, *conditions)


def list_of_charge(call: Call) -> JSON:
    """List the refunds of the charge in the path."""
    charge = call.target("charge", "charge")
    url = f"/v1/charges/{charge.id}/refunds"
    return list_object(call.tx, TYPE, url, call.params, equals("charge", charge.id))


def cancel(call: Call) -> JSON:
    """Call off a refund that waits for the customer; no other can be."""
    record = call.target(TYPE)
    if record.body["status"] != "requires_action":
        raise invalid(
            "Only refunds with the status requires_action can be canceled. The status of"
            f" {record.id} is {record.body['status']}."
        )
    refund_life.cancel(call.work, record)
    return record.shown()


def refund(work: Work, charge: Record, wish: Wish) -> Record:
    """Make a refund, with what a full one means to an inquiry and to a fraud warning."""
    made = refund_life.make(work, charge, wish)
    if charge.body["refunded"]:
        dispute_life.close_refunded_inquiries(work, charge)
        early_fraud_warnings.settle(work, charge)
    return made


def amount_to_refund(work: Work, charge: Record, amount: int | None) -> int:
    """Return what is to be refunded, all that is left by default; raise Stripe's error."""
    if dispute_life.blocks_refunds(work, charge):
        raise ApiError(
            400,
            f"Charge {charge.id} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if not charge.body["captured"]:
        raise invalid(
            f"Charge {charge.id} has taken no money that could be refunded: its status is"
            f" {charge.body['status']}. Cancel the PaymentIntent to release an authorization.",
            "charge",
        )
    left: int = charge.body["amount_captured"] - charge.body["amount_refunded"]
    if left == 0:
        raise ApiError(
            400,
            f"Charge {charge.id} has already been refunded.",
            code="charge_already_refunded",
        )
    return _checked(left if amount is None else amount, left, charge.body["currency"])


def charge_of(work: Work, intent: Record) -> Record:
    """Return the charge that paid an intent, or raise Stripe's error when there is none."""
    charge = work.tx.get("charge", intent.body["latest_charge"] or "")
    if charge is None or not charge.body["paid"]:
        raise ApiError(
            400,
            f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return charge


def _named_charge(call: Call) -> Record:
    given = [name for name in ("charge", "payment_intent") if name in call.params]
    if not given:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            code="parameter_missing",
        )
    if len(given) == 2:
        raise invalid(
            "You may only specify one of these parameters: charge, payment_intent.",
            "payment_intent",
        )
    if given == ["charge"]:
        return call.work.find("charge", call.params["charge"], "charge")
    intent = call.work.find("payment_intent", call.params["payment_intent"], "payment_intent")
    return charge_of(call.work, intent)


def _checked(amount: int, left: int, currency: str) -> int:
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        raise invalid(
            f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on"
            f" charge ({shown(left, currency)})",
            "amount",
        )
    return amount


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/refunds", RefundCreateParams, create),
    Endpoint("GET", "/v1/refunds", RefundListParams, list_all),
    Endpoint("GET", "/v1/refunds/<id>", RefundRetrieveParams, retrieve),
    Endpoint("POST", "/v1/refunds/<id>", RefundUpdateParams, update),
    Endpoint("POST", "/v1/refunds/<id>/cancel", RefundCancelParams, cancel),
    Endpoint("GET", "/v1/charges/<id>/refunds", ChargeListRefundsParams, list_of_charge),
]
