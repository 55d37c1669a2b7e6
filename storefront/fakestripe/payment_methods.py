"""`/v1/payment_methods`, and the ready-made `pm_card_…` ids."""

from __future__ import annotations

from typing import Any

from stripe.params import (
    PaymentMethodAttachParams,
    PaymentMethodCreateParams,
    PaymentMethodDetachParams,
    PaymentMethodListParams,
    PaymentMethodRetrieveParams,
    PaymentMethodUpdateParams,
)

from . import banks, cards
from .account import Work
from .behaviour import LIVE_CARD_IN_TEST_MODE, Behaviour, Decline
from .call import Call, Endpoint, changed, updated
from .errors import JSON, ApiError, invalid, no_such_reference
from .events import emit
from .ids import new_id
from .instruments import account_hash, card_hash, checked_account, checked_card
from .lists import list_object
from .records import Condition, Record, equals

TYPE = "payment_method"
TYPES_OFFERED = ("card", "sepa_debit", "us_bank_account")


def new_body(type: str, created: int) -> JSON:
    """Return a payment method with every field of the resource but the types' own hashes."""
    return {
        "id": new_id("pm"),
        "object": TYPE,
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "radar_options": {"session": None},
        "type": type,
    }


def create(call: Call) -> JSON:
    """Create a payment method from card or bank details; nothing is charged."""
    for name in ("customer", "payment_method"):
        if name in call.params:
            raise invalid(
                f"The parameter {name} is for Connect, which fakestripe does not offer.", name
            )
    return build(call.work, call.params, "").shown()


def build(work: Work, params: JSON, prefix: str) -> Record:
    """Store a new payment method from `payment_method_data`-like parameters.

    `prefix` is the parameter that held them; it appears in the names of errors.
    """
    type = params.get("type")
    if type is None:
        name = _named(prefix, "type")
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    if type not in TYPES_OFFERED:
        raise invalid(
            f"The payment method type provided: {type} is not offered by fakestripe, which has"
            f" {', '.join(TYPES_OFFERED)}.",
            _named(prefix, "type"),
        )
    if type not in params:
        raise invalid(
            f"Missing required param: {_named(prefix, type)}.",
            _named(prefix, type),
            "parameter_missing",
        )
    body = new_body(type, work.now)
    _apply(body, params)
    key, body[type] = _instrument(work, body, params[type], _named(prefix, type), prefix)
    return work.add(body, {"instrument": key, "set_up": False, "used": False})


def resolve(work: Work, id: str, param: str) -> Record:
    """Return the payment method of an id; a ready-made `pm_card_…` becomes a new one."""
    if id in cards.BY_ID and id.startswith("pm_"):
        return _ready_made(work, "card", cards.BY_ID[id])
    if id in banks.BY_ID:
        return _ready_made(work, banks.BY_ID[id].type, banks.BY_ID[id])
    return work.find(TYPE, id, param)


def behaviour_of(method: Record) -> Behaviour:
    """Return how a payment method behaves when it is charged."""
    key = method.private["instrument"]
    if key in cards.BY_KEY:
        return cards.BY_KEY[key].behaviour
    if key in banks.BY_KEY:
        return banks.BY_KEY[key].behaviour
    return Behaviour(decline=LIVE_CARD_IN_TEST_MODE, attaches=False)


def retrieve(call: Call) -> JSON:
    """Answer one payment method."""
    return call.target(TYPE, TYPE).shown()


def update(call: Call) -> JSON:
    """Change billing details, expiry, redisplay or metadata of an attached payment method."""
    record, params = call.target(TYPE, TYPE), call.params
    if record.body["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    before = record.shown()
    _apply(record.body, params)
    if "card" in params:
        expiry = {k: v for k, v in params["card"].items() if k in ("exp_month", "exp_year")}
        record.body["card"].update(expiry)
    if "us_bank_account" in params:
        record.body["us_bank_account"].update(params["us_bank_account"])
    call.work.save(record)
    previous = changed(before, record.body)
    if previous:
        emit(call.work, "payment_method.updated", record.shown(), previous)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List payment methods, usually of a customer."""
    if "customer" in call.params:
        call.work.find("customer", call.params["customer"], "customer")
    return list_object(call.tx, TYPE, "/v1/payment_methods", call.params, *conditions(call.params))


def conditions(params: JSON) -> list[Condition]:
    """Translate the filters that lists of payment methods share."""
    names = ("customer", "type", "allow_redisplay")
    return [equals(name, params[name]) for name in names if name in params]


def attach(call: Call) -> JSON:
    """Attach to a customer; the bank is asked, and may refuse."""
    if "customer" not in call.params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = call.work.find("customer", call.params["customer"], "customer")
    known = call.id.startswith("pm_") and (call.id in cards.BY_ID or call.id in banks.BY_ID)
    record = resolve(call.work, call.id, TYPE) if known else call.target(TYPE, TYPE)
    attach_to(call.work, record, customer.id)
    return record.shown()


def detach(call: Call) -> JSON:
    """Detach from the customer; the payment method can never be used again."""
    record = call.target(TYPE, TYPE)
    if record.body["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment"
            " is impossible.",
            TYPE,
        )
    previous = {"customer": record.body["customer"]}
    detach_from_customer(call.work, record)
    emit(call.work, "payment_method.detached", record.shown(), previous)
    return record.shown()


def attach_to(work: Work, method: Record, customer_id: str) -> None:
    """Attach with its event; refuse what is attached elsewhere, used up, or declined."""
    if method.body["customer"] == customer_id:
        return
    if method.body["customer"] is not None:
        raise invalid(
            "The payment method you provided has already been attached to a customer.", TYPE
        )
    check_unused(method)
    behaviour = behaviour_of(method)
    if behaviour.decline is not None and not behaviour.attaches:
        raise _attach_declined(behaviour.decline)
    method.body["customer"] = customer_id
    work.save(method)
    emit(work, "payment_method.attached", method.shown())


def detach_from_customer(work: Work, method: Record) -> None:
    """Take a payment method from its customer, without an event."""
    method.body["customer"] = None
    method.private["used"] = True
    work.save(method)


def check_unused(method: Record) -> None:
    """Refuse a payment method that was used or detached and is not saved to a customer."""
    if method.private["used"] and method.body["customer"] is None:
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer"
            " attachment, shared with a connected account without Customer attachment, or was"
            " detached from a Customer. It may not be used again. To use a PaymentMethod multiple"
            " times, you must attach it to a Customer first.",
            TYPE,
        )


def _attach_declined(decline: Decline) -> ApiError:
    return ApiError(
        402, decline.message, type="card_error", code=decline.code,
        decline_code=decline.decline_code, executed=True,
    )  # fmt: skip


def _ready_made(work: Work, type: str, known: cards.TestCard | banks.TestAccount) -> Record:
    body = new_body(type, work.now)
    if isinstance(known, cards.TestCard):
        body["card"] = card_hash(known.number, work.now, known)
    else:
        body["billing_details"].update(name="Jenny Rosen", email="jenny@example.com")
        body[type] = account_hash(type, known.number)
    return work.add(body, {"instrument": known.key, "set_up": False, "used": False})


def _instrument(work: Work, body: JSON, given: JSON, param: str, prefix: str) -> tuple[str, JSON]:
    """Check the details; return the instrument's key and the public hash."""
    if body["type"] == "card":
        token = given.get("token")
        if token is None:
            return checked_card(given, param, work.now)
        if token not in cards.BY_ID:
            raise no_such_reference("token", token, f"{param}[token]")
        return cards.BY_ID[token].key, card_hash(None, work.now, cards.BY_ID[token])
    required = ("name", "email") if body["type"] == "sepa_debit" else ("name",)
    for name in required:
        if not body["billing_details"][name]:
            full = f"{_named(prefix, 'billing_details')}[{name}]"
            raise invalid(f"Missing required param: {full}.", full, "parameter_missing")
    return checked_account(body["type"], given, param)


def _apply(body: JSON, params: JSON) -> None:
    details: dict[str, Any] = params.get("billing_details", {})
    for name, value in details.items():
        if name == "address":
            body["billing_details"]["address"].update(value or {})
        else:
            body["billing_details"][name] = value
    if "allow_redisplay" in params:
        body["allow_redisplay"] = params["allow_redisplay"]
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])
    if params.get("radar_options"):
        body["radar_options"] = {"session": params["radar_options"].get("session")}


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/payment_methods", PaymentMethodCreateParams, create, publishable=True),
    Endpoint("GET", "/v1/payment_methods", PaymentMethodListParams, list_all),
    Endpoint("GET", "/v1/payment_methods/<id>", PaymentMethodRetrieveParams, retrieve),
    Endpoint("POST", "/v1/payment_methods/<id>", PaymentMethodUpdateParams, update),
    Endpoint("POST", "/v1/payment_methods/<id>/attach", PaymentMethodAttachParams, attach),
    Endpoint("POST", "/v1/payment_methods/<id>/detach", PaymentMethodDetachParams, detach),
]
