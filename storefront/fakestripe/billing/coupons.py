"""`/v1/coupons`: how much is taken off, and for how long."""

from __future__ import annotations

from stripe.params import (
    CouponCreateParams,
    CouponDeleteParams,
    CouponListParams,
    CouponRetrieveParams,
    CouponUpdateParams,
)

from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..currencies import checked_currency
from ..errors import JSON, invalid
from ..events import emit
from ..ids import random_text
from ..lists import list_object
from ..records import Record
from .refusals import exactly_one, refuse_not_offered

TYPE = "coupon"


def new_body(created: int) -> JSON:
    """Return a coupon for one invoice that takes nothing off yet."""
    return {
        "id": random_text(8),
        "object": TYPE,
        "amount_off": None,
        "applies_to": None,
        "created": created,
        "currency": None,
        "currency_options": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def create(call: Call) -> JSON:
    """Create a coupon with a percentage or an amount in minor units."""
    params, body = call.params, new_body(call.now)
    refuse_not_offered(params, ("currency_options",), "coupons")
    _check_value(params)
    _check_duration(params)
    if "id" in params:
        if call.tx.records.named(params["id"]) is not None:
            raise invalid("Coupon already exists.", "id", "resource_already_exists")
        body["id"] = params["id"]
    for name in ("amount_off", "percent_off", "duration", "duration_in_months",
                 "max_redemptions", "name", "redeem_by"):  # fmt: skip
        if name in params:
            body[name] = params[name]
    if "currency" in params:
        body["currency"] = checked_currency(params["currency"])
    if "applies_to" in params:
        names = params["applies_to"].get("products", [])
        found = [call.work.find("product", id, "applies_to[products]").id for id in names]
        body["applies_to"] = {"products": found}
    body["metadata"] = updated({}, params.get("metadata"))
    record = call.work.add(body)
    emit(call.work, "coupon.created", record.shown())
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer one coupon as it stands now."""
    return shown(call.work, call.target(TYPE, TYPE))


def update(call: Call) -> JSON:
    """Change the name or the metadata; what a coupon is worth never changes."""
    refuse_not_offered(call.params, ("currency_options",), "coupons")
    record = call.target(TYPE, TYPE)
    before = record.shown()
    if "name" in call.params:
        record.body["name"] = call.params["name"]
    if "metadata" in call.params:
        record.body["metadata"] = updated(record.body["metadata"], call.params["metadata"])
    previous = changed(before, record.body)
    if previous:
        call.work.save(record)
        emit(call.work, "coupon.updated", record.shown(), previous)
    return shown(call.work, record)


def delete(call: Call) -> JSON:
    """Delete a coupon; discounts that it already gave stay."""
    record = call.target(TYPE, TYPE)
    last = record.shown()
    record.deleted = True
    call.work.save(record)
    emit(call.work, "coupon.deleted", last)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List the coupons."""
    page = list_object(call.tx, TYPE, "/v1/coupons", call.params)
    data = [{**body, "valid": redeemable(body, call.now)} for body in page["data"]]
    return {**page, "data": data}


def shown(work: Work, record: Record) -> JSON:
    """Return the coupon with `valid` as of now."""
    body = record.shown()
    return body if record.deleted else {**body, "valid": redeemable(body, work.now)}


def redeemable(coupon: JSON, now: int) -> bool:
    """Tell whether a coupon can be given to another customer."""
    full = coupon["max_redemptions"]
    late = coupon["redeem_by"] is not None and now >= coupon["redeem_by"]
    return not late and (full is None or coupon["times_redeemed"] < full)


def redeem(work: Work, record: Record) -> None:
    """Count one more customer who got this coupon."""
    record.body["times_redeemed"] += 1
    record.body["valid"] = redeemable(record.body, work.now)
    work.save(record)


def _check_value(params: JSON) -> None:
    if exactly_one(params, ("percent_off", "amount_off"), "percent_off") == "percent_off":
        if not 0 < params["percent_off"] <= 100:
            raise invalid("Invalid percent_off: must be between 0 and 100.", "percent_off")
        return
    if params["amount_off"] < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            "amount_off",
            "parameter_invalid_integer",
        )
    if "currency" not in params:
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")


def _check_duration(params: JSON) -> None:
    repeating = params.get("duration", "once") == "repeating"
    if repeating and params.get("duration_in_months", 0) < 1:
        raise invalid(
            "You must pass duration_in_months when passing duration=repeating.",
            "duration_in_months",
            "parameter_missing",
        )
    if not repeating and "duration_in_months" in params:
        raise invalid(
            "You can only pass duration_in_months when passing duration=repeating.",
            "duration_in_months",
        )


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/coupons", CouponCreateParams, create),
    Endpoint("GET", "/v1/coupons", CouponListParams, list_all),
    Endpoint("GET", "/v1/coupons/<id>", CouponRetrieveParams, retrieve),
    Endpoint("POST", "/v1/coupons/<id>", CouponUpdateParams, update),
    Endpoint("DELETE", "/v1/coupons/<id>", CouponDeleteParams, delete),
]
