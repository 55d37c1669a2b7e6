"""`/v1/checkout/sessions`: create, retrieve, update, expire, list, and their line items."""

from __future__ import annotations

from collections.abc import Callable

from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionLineItemListParams,
    SessionListParams,
    SessionRetrieveParams,
    SessionUpdateParams,
)

from .. import intent_settlement, payment_intents
from ..account import Work
from ..call import Call, Endpoint, updated
from ..currencies import check_amount
from ..errors import JSON, invalid
from ..events import emit
from ..lists import as_list, list_object
from ..records import Record, equals
from . import checkout_params, discounts, line_items
from .refusals import refuse_not_offered

TYPE = checkout_params.TYPE
TIMER = "session_due"
CHALLENGE_SECONDS = 300


def create(call: Call) -> JSON:
    """Create a session; nothing is paid and no intent exists until the customer confirms."""
    work, params = call.work, call.params
    checkout_params.check(params)
    body = checkout_params.new_body(work, params)
    _take_customer(work, body, params)
    lines = line_items.chosen(work, params.get("line_items", []), params["mode"])
    names = ("payment_intent_data", "subscription_data", "setup_intent_data")
    given = {name: params[name] for name in names if name in params}
    record = Record(body["id"], TYPE, call.now, body, {"lines": lines, "given": given})
    record.body["currency"] = lines[0]["currency"] if lines else params.get("currency")
    _take_discount(work, record, params)
    price(work, record)
    if params["mode"] == "payment" and record.body["amount_total"]:
        check_amount(record.body["amount_total"], record.body["currency"])
    record = work.add(body, record.private)
    work.at(body["expires_at"], TIMER, record.id)
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer one session; its line items only when they are expanded."""
    return call.target(TYPE, "session").shown()


def update(call: Call) -> JSON:
    """Change a session's metadata."""
    others = [name for name in call.params if name not in ("metadata", "expand")]
    refuse_not_offered(call.params, others, "changes of Checkout Sessions")
    record = call.target(TYPE, "session")
    record.body["metadata"] = updated(record.body["metadata"], call.params.get("metadata", {}))
    call.work.save(record)
    return record.shown()


def expire(call: Call) -> JSON:
    """End an open session; its page tells the customer so."""
    record = call.target(TYPE, "session")
    if record.body["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of {record.body['status']}.",
            "session",
        )
    close(call.work, record)
    return record.shown()


def close(work: Work, session: Record) -> None:
    """Expire an open session, with its event; an attempt that was declined is given up."""
    session.body.update(status="expired", url=None)
    work.save(session)
    intent = work.tx.get("payment_intent", session.private.get("intent") or "")
    if intent is not None and intent.body["status"] in payment_intents.CANCELABLE:
        intent_settlement.cancel(work, intent, "automatic", "charge.refunded")
    emit(work, "checkout.session.expired", session.shown())


def due(work: Work, id: str) -> None:
    """Expire a session that was not completed in time (its timer)."""
    session = work.tx.get(TYPE, id)
    if session is None or session.body["status"] != "open":
        return
    intent = work.tx.get("payment_intent", session.private.get("intent") or "")
    if intent is not None and intent.body["status"] == "requires_action":
        work.later(CHALLENGE_SECONDS, TIMER, id)  # the bank's question is open: wait for it
        return
    close(work, session)


def list_line_items(call: Call) -> JSON:
    """List a session's lines with their amounts, in the order in which they were given."""
    session, params = call.target(TYPE, "session"), call.params
    lines = session.private["lines"]
    ids = [line["id"] for line in lines]
    after, before = params.get("starting_after"), params.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in ids:
            raise invalid(f"No such line item: '{cursor}'", name, "resource_missing")
    rest = lines[ids.index(after) + 1 :] if after else lines
    rest = rest[: ids.index(before)] if before else rest
    limit = params.get("limit", 10)
    url = f"/v1/checkout/sessions/{session.id}/line_items"
    return as_list(rest[:limit], url, len(rest) > limit)


def list_all(call: Call) -> JSON:
    """List sessions by customer, payment intent, subscription, status or e-mail."""
    names = ("customer", "payment_intent", "subscription", "status", "payment_link")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    if "customer_details" in call.params:
        email = call.params["customer_details"]["email"]
        conditions.append(equals("customer_details.email", email))
    return list_object(call.tx, TYPE, "/v1/checkout/sessions", call.params, *conditions)


def price(work: Work, session: Record) -> None:
    """Write what the session costs now into it and its lines; the caller saves it."""
    coupon = work.tx.get("coupon", session.private.get("coupon") or "")
    line_items.priced(session.private["lines"], coupon.body if coupon else None)
    if session.body["mode"] == "setup":
        session.body["payment_status"] = "no_payment_required"
        return
    lines = due_lines(session)
    off = sum(line["amount_discount"] for line in lines)
    session.body.update(
        amount_subtotal=sum(line["amount_subtotal"] for line in lines),
        amount_total=sum(line["amount_total"] for line in lines),
        total_details={"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
    )


def due_lines(session: Record) -> list[JSON]:
    """Return the lines that are paid when the customer confirms: nothing recurring in a trial."""
    lines: list[JSON] = session.private["lines"]
    if not has_trial(session):
        return lines
    return [line for line in lines if not line["price"]["recurring"]]


def has_trial(session: Record) -> bool:
    """Tell whether the subscription will begin with a trial."""
    data = session.private["given"].get("subscription_data", {})
    return "trial_period_days" in data or "trial_end" in data


def _take_customer(work: Work, body: JSON, params: JSON) -> None:
    email = params.get("customer_email")
    if "customer" in params:
        customer = work.find("customer", params["customer"], "customer")
        body["customer"] = customer.id
        email = customer.body["email"]
    body["customer_email"] = params.get("customer_email")
    if email is not None:
        body["customer_details"] = {
            "address": None,
            "business_name": None,
            "email": email,
            "individual_name": None,
            "name": None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": None,
        }


def _take_discount(work: Work, session: Record, params: JSON) -> None:
    """Apply the one discount that the merchant chose."""
    for given in params.get("discounts", []):
        amount = line_items.subtotal(session.private["lines"])
        customer, currency = session.body["customer"], session.body["currency"]
        coupon, code = discounts.chosen(work, given, customer, amount, currency, "discounts[0]")
        put_discount(session, coupon, code)


def put_discount(session: Record, coupon: Record | None, code: Record | None) -> None:
    """Make this the session's one discount; None takes it away."""
    session.private["coupon"] = coupon.id if coupon else None
    shown = {
        "coupon": coupon.id if coupon and code is None else None,
        "promotion_code": code.id if code else None,
    }
    session.body["discounts"] = [shown] if coupon else []


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/checkout/sessions", SessionCreateParams, create),
    Endpoint("GET", "/v1/checkout/sessions", SessionListParams, list_all),
    Endpoint("GET", "/v1/checkout/sessions/<id>", SessionRetrieveParams, retrieve),
    Endpoint("POST", "/v1/checkout/sessions/<id>", SessionUpdateParams, update),
    Endpoint("POST", "/v1/checkout/sessions/<id>/expire", SessionExpireParams, expire),
    Endpoint(
        "GET",
        "/v1/checkout/sessions/<id>/line_items",
        SessionLineItemListParams,
        list_line_items,
    ),
]
TIMERS: dict[str, Callable[[Work, str], None]] = {TIMER: due}
