"""A change of a subscription through the API: everything besides what it costs."""

from __future__ import annotations

from ..account import Work
from ..call import updated
from ..errors import JSON, invalid
from ..events import emit
from ..records import Record
from . import discounts
from .subscription_body import first_period_end, items_of, last_period_end, set_period
from .subscription_change import Wish
from .subscription_params import check_method, chosen_discounts
from .subscription_start import trial_end


def wish_of(work: Work, subscription: Record, params: JSON) -> Wish:
    """Return what the parameters ask of the items, the anchor and the trial."""
    default = "create_prorations"
    ends_trial = params.get("trial_end") == "now" and subscription.body["status"] == "trialing"
    return Wish(
        params.get("items", []),
        params.get("proration_behavior", default),
        params.get("proration_date", work.now),
        anchor_now=params.get("billing_cycle_anchor", {}).get("type") == "now",
        ends_trial=ends_trial,
    )


def apply(work: Work, subscription: Record, body: JSON, params: JSON) -> None:
    """Write everything but the items into the body that the change will have."""
    customer = work.tx.get("customer", body["customer"])
    assert customer is not None
    if "default_payment_method" in params:
        check_method(work, customer, params["default_payment_method"])
        body["default_payment_method"] = params["default_payment_method"]
    if "description" in params:
        body["description"] = params["description"]
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])
    if "automatic_tax" in params:
        body["automatic_tax"]["enabled"] = params["automatic_tax"]["enabled"]
    if "trial_settings" in params:
        body["trial_settings"]["end_behavior"].update(params["trial_settings"]["end_behavior"])
    if "cancellation_details" in params:
        body["cancellation_details"].update(params["cancellation_details"])
    if "discounts" in params:
        _replace_discounts(work, subscription, body, params)
    moment = trial_end({"trial_end": params["trial_end"]}, work.now) if (
        "trial_end" in params
    ) else None  # fmt: skip
    if moment is not None:
        _prolong_trial(body, moment, work.now)
    plan_cancellation(work, body, params)


def _replace_discounts(work: Work, subscription: Record, body: JSON, params: JSON) -> None:
    amount = sum(item["price"]["unit_amount"] * item["quantity"] for item in items_of(body))
    chosen = chosen_discounts(work, params, body["customer"], amount, body["currency"])
    granted = [
        discounts.grant(work, coupon, code, customer=body["customer"],
                        subscription=subscription.id)
        for coupon, code in chosen
    ]  # fmt: skip
    body["discounts"] = [discount.id for discount in granted]
    for discount in granted:
        emit(work, "customer.discount.created", discount.shown())


def _prolong_trial(body: JSON, moment: int, now: int) -> None:
    start = body["trial_start"] if body["status"] == "trialing" else now
    body.update(status="trialing", trial_start=start, trial_end=moment,
                billing_cycle_anchor=moment)  # fmt: skip
    for item in items_of(body):
        set_period(item, start, moment)


def plan_cancellation(work: Work, body: JSON, params: JSON) -> None:
    """Set or lift a cancellation to come; `cancel_at` may name the end of a period."""
    if params.get("cancel_at_period_end"):
        plan_end(body, last_period_end(body), work.now, at_period_end=True)
    elif params.get("cancel_at") is not None:
        ends = {"min_period_end": first_period_end(body), "max_period_end": last_period_end(body),
                "max_billed_until": last_period_end(body)}  # fmt: skip
        moment = ends.get(params["cancel_at"], params["cancel_at"])
        if not isinstance(moment, int) or moment <= work.now:
            raise invalid("cancel_at must be a timestamp in the future.", "cancel_at")
        plan_end(body, moment, work.now, at_period_end=False)
    elif "cancel_at" in params or "cancel_at_period_end" in params:
        lift_end(body)


def plan_end(body: JSON, moment: int, now: int, *, at_period_end: bool) -> None:
    """Schedule the end of a subscription, at the customer's wish."""
    body.update(cancel_at=moment, cancel_at_period_end=at_period_end, canceled_at=now)
    body["cancellation_details"]["reason"] = "cancellation_requested"


def lift_end(body: JSON) -> None:
    """Take a scheduled end back."""
    body.update(cancel_at=None, cancel_at_period_end=False, canceled_at=None)
    body["cancellation_details"] = dict.fromkeys(body["cancellation_details"])
