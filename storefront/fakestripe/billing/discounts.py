"""Discounts: a coupon given to a session, a subscription or an invoice, and what it takes off."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ..account import Work
from ..currencies import shown
from ..errors import JSON, invalid
from ..ids import new_id
from ..records import Record
from . import coupons, promotion_codes
from .periods import add_months

TYPE = "discount"


def chosen(
    work: Work, given: JSON, customer: str | None, amount: int, currency: str, param: str
) -> tuple[Record, Record | None]:
    """Return the coupon, and the promotion code if one was named, that `discounts[]` asks for.

    Raise Stripe's 400 for one that does not exist or does not apply.
    """
    if "discount" in given:
        raise invalid("fakestripe takes coupons and promotion codes as discounts.", param)
    if ("coupon" in given) == ("promotion_code" in given):
        raise invalid("Pass exactly one of coupon and promotion_code.", param)
    if "coupon" in given:
        coupon = work.find("coupon", given["coupon"], f"{param}[coupon]")
        if not coupons.redeemable(coupon.body, work.now):
            raise invalid(f"Coupon expired: {coupon.id}", f"{param}[coupon]", "coupon_expired")
        return coupon, None
    name = f"{param}[promotion_code]"
    code = work.find("promotion_code", given["promotion_code"], name)
    refused = promotion_codes.refusal(work, code, customer, amount, currency)
    if refused:
        raise invalid(refused, name)
    return work.find("coupon", code.body["promotion"]["coupon"], name), code


def grant(
    work: Work,
    coupon: Record,
    code: Record | None,
    *,
    customer: str,
    subscription: str | None,
    session: str | None = None,
) -> Record:
    """Store the discount that a customer now has, and count the redemption."""
    months = coupon.body["duration_in_months"]
    coupons.redeem(work, coupon)
    if code is not None:
        promotion_codes.redeem(work, code)
    return work.add(
        {
            "id": new_id("di"),
            "object": TYPE,
            "checkout_session": session,
            "customer": customer,
            "customer_account": None,
            "end": add_months(work.now, months) if months else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": code.id if code else None,
            "source": {"coupon": coupon.id, "type": "coupon"},
            "start": work.now,
            "subscription": subscription,
            "subscription_item": None,
        }
    )


def in_force(work: Work, ids: list[str], moment: int) -> list[tuple[str, JSON]]:
    """Return the ids and coupons of the discounts that still take something off."""
    found = []
    for id in ids:
        discount = work.tx.get(TYPE, id)
        if discount is None or discount.deleted:
            continue
        end = discount.body["end"]
        coupon = work.tx.get("coupon", discount.body["source"]["coupon"])
        if coupon is not None and (end is None or moment < end):
            found.append((id, coupon.body))
    return found


def spent(work: Work, ids: list[str]) -> list[str]:
    """Return those of the discounts that were for one invoice only."""
    once = []
    for id in ids:
        discount = work.tx.get(TYPE, id)
        coupon = work.tx.get("coupon", discount.body["source"]["coupon"]) if discount else None
        if coupon is not None and coupon.body["duration"] == "once":
            once.append(id)
    return once


def taken_off(coupon: JSON, amounts: list[int], products: list[str], currency: str) -> list[int]:
    """Return how much a coupon takes off each amount (minor units), never more than the amount.

    A percentage is rounded half up line by line; a fixed amount is spread over the lines in
    proportion, to the last minor unit.
    """
    wanted = (coupon["applies_to"] or {}).get("products")
    open_amounts = [
        max(amount, 0) if wanted is None or product in wanted else 0
        for amount, product in zip(amounts, products, strict=True)
    ]
    if coupon["percent_off"] is not None:
        return [percentage(amount, coupon["percent_off"]) for amount in open_amounts]
    if coupon["currency"] != currency:
        return [0] * len(amounts)
    return _spread(min(coupon["amount_off"], sum(open_amounts)), open_amounts)


def percentage(amount: int, percent: float) -> int:
    """Return a share of an amount in minor units, rounded half up."""
    share = Decimal(amount) * Decimal(str(percent)) / 100
    return int(share.quantize(Decimal(1), ROUND_HALF_UP))


def _spread(total: int, weights: list[int]) -> list[int]:
    """Split a total in proportion to weights so that the parts sum up to it exactly."""
    whole, given, seen, parts = sum(weights), 0, 0, []
    for weight in weights:
        seen += weight
        due = total * seen // whole if whole else 0
        parts.append(due - given)
        given = due
    return parts


def label(coupon: JSON) -> str:
    """Return a coupon in words: `20% off for 3 months`, `$5.00 off`."""
    if coupon["percent_off"] is not None:
        value = f"{coupon['percent_off']:g}%"
    else:
        value = shown(coupon["amount_off"], coupon["currency"]).rsplit(" ", 1)[0]
    months = coupon["duration_in_months"]
    spans = {"once": "", "forever": " forever", "repeating": f" for {months} months"}
    return f"{value} off{spans[coupon['duration']]}"
