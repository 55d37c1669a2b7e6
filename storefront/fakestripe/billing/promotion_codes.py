"""`/v1/promotion_codes`: what a customer types to get a coupon."""

from __future__ import annotations

import re

from stripe.params import (
    PromotionCodeCreateParams,
    PromotionCodeListParams,
    PromotionCodeRetrieveParams,
    PromotionCodeUpdateParams,
)

from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..currencies import checked_currency
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id, random_text
from ..lists import list_object
from ..records import Condition, Record, equals
from . import coupons
from .refusals import refuse_not_offered

TYPE = "promotion_code"
_CODE = re.compile(r"^[A-Za-z0-9-]{1,500}$")
_SAME_CODE = "lower(json_extract(body, '$.code')) = lower(?)"


def new_body(code: str, coupon: str, created: int) -> JSON:
    """Return an active code without restrictions, with every field of the resource."""
    return {
        "id": new_id("promo"),
        "object": TYPE,
        "active": True,
        "code": code,
        "created": created,
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": coupon, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
    }


def create(call: Call) -> JSON:
    """Create a code; without one Stripe makes one up."""
    params = call.params
    refuse_not_offered(params, ("customer_account",), "promotion codes")
    if "coupon" not in params["promotion"]:
        param = "promotion[coupon]"
        raise invalid(f"Missing required param: {param}.", param, "parameter_missing")
    coupon = call.work.find("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    body = new_body(_new_code(call.work, params.get("code")), coupon.id, call.now)
    for name in ("active", "expires_at", "max_redemptions"):
        if name in params:
            body[name] = params[name]
    if "customer" in params:
        body["customer"] = call.work.find("customer", params["customer"], "customer").id
    if "restrictions" in params:
        body["restrictions"].update(_restrictions(params["restrictions"]))
    body["metadata"] = updated({}, params.get("metadata"))
    record = call.work.add(body)
    emit(call.work, "promotion_code.created", record.shown())
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer one code."""
    return call.target(TYPE, TYPE).shown()


def update(call: Call) -> JSON:
    """Switch a code off or on, or change its metadata."""
    refuse_not_offered(call.params, ("restrictions",), "changes of promotion codes")
    record = call.target(TYPE, TYPE)
    before = record.shown()
    if "active" in call.params:
        record.body["active"] = call.params["active"]
    if "metadata" in call.params:
        record.body["metadata"] = updated(record.body["metadata"], call.params["metadata"])
    previous = changed(before, record.body)
    if previous:
        call.work.save(record)
        emit(call.work, "promotion_code.updated", record.shown(), previous)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List codes by activity, code (any case), coupon or customer."""
    params = call.params
    conditions = [equals(name, params[name]) for name in ("active", "customer") if name in params]
    if "code" in params:
        conditions.append(Condition(_SAME_CODE, (params["code"],)))
    if "coupon" in params:
        conditions.append(equals("promotion.coupon", params["coupon"]))
    return list_object(call.tx, TYPE, "/v1/promotion_codes", params, *conditions)


def typed(work: Work, code: str) -> Record | None:
    """Return the active code that a customer typed, in whatever case, or None."""
    same = Condition(_SAME_CODE, (code.strip(),))
    found = work.tx.records.all(TYPE, same, equals("active", True))
    return found[0] if found else None


def refusal(work: Work, code: Record, customer: str | None, amount: int, currency: str) -> str:
    """Return why a code does not apply to a purchase, in words for customers; empty if it does."""
    body, rules = code.body, code.body["restrictions"]
    coupon = work.tx.get("coupon", body["promotion"]["coupon"])
    used_up = body["max_redemptions"] is not None and (
        body["times_redeemed"] >= body["max_redemptions"]
    )
    late = body["expires_at"] is not None and work.now >= body["expires_at"]
    if not body["active"] or used_up or coupon is None or coupon.deleted:
        return "This code is invalid."
    if late or not coupons.redeemable(coupon.body, work.now):
        return "This code has expired."
    if coupon.body["currency"] not in (None, currency):
        return "This code is for another currency."
    if body["customer"] not in (None, customer):
        return "This code cannot be used by this customer."
    least = rules["minimum_amount"]
    if least is not None and (rules["minimum_amount_currency"] != currency or amount < least):
        return "This order is too small for this code."
    if rules["first_time_transaction"] and _has_paid(work, customer):
        return "This code is for first-time customers only."
    return ""


def redeem(work: Work, code: Record) -> None:
    """Count one more use; a code that is used up becomes inactive."""
    code.body["times_redeemed"] += 1
    if code.body["times_redeemed"] == code.body["max_redemptions"]:
        code.body["active"] = False
    work.save(code)


def _has_paid(work: Work, customer: str | None) -> bool:
    if customer is None:
        return False
    paid = (equals("customer", customer), equals("status", "succeeded"))
    return bool(work.tx.records.all("payment_intent", *paid))


def _new_code(work: Work, given: str | None) -> str:
    if given is None:
        return random_text(8).upper()
    if not _CODE.match(given):
        raise invalid("Invalid code: use letters, digits and dashes only.", "code")
    if typed(work, given) is not None:
        raise invalid(f"An active promotion code with `code: {given}` already exists.", "code")
    return given


def _restrictions(given: JSON) -> JSON:
    refuse_not_offered(given, ("currency_options",), "restrictions")
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        raise invalid(
            "Pass minimum_amount and minimum_amount_currency together.",
            "restrictions[minimum_amount]",
        )
    if "minimum_amount_currency" in given:
        given["minimum_amount_currency"] = checked_currency(given["minimum_amount_currency"])
    return given


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/promotion_codes", PromotionCodeCreateParams, create),
    Endpoint("GET", "/v1/promotion_codes", PromotionCodeListParams, list_all),
    Endpoint("GET", "/v1/promotion_codes/<id>", PromotionCodeRetrieveParams, retrieve),
    Endpoint("POST", "/v1/promotion_codes/<id>", PromotionCodeUpdateParams, update),
]
