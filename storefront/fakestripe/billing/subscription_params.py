"""What may be said about a subscription when it is created or updated."""

from __future__ import annotations

from typing import Any

from ..account import Work
from ..errors import JSON, invalid
from ..records import Record
from . import discounts
from .refusals import refuse_not_offered
from .subscription_start import Terms, check_items, trial_end

NOT_OFFERED = (
    "add_invoice_items", "application_fee_percent", "backdate_start_date",
    "billing_cycle_anchor_config", "billing_schedules", "billing_thresholds", "customer_account",
    "days_until_due", "default_source", "default_tax_rates", "invoice_settings", "on_behalf_of",
    "pause_collection", "pending_invoice_item_interval", "transfer_data", "trial_from_plan",
)  # fmt: skip


def terms_of(work: Work, params: JSON) -> Terms:
    """Return what a new subscription's parameters agree on; raise Stripe's 400 for a bad one."""
    check_common(params)
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = work.find("customer", params["customer"], "customer")
    items = [_item(work, given, f"items[{i}]") for i, given in enumerate(params.get("items", []))]
    check_items(items, "items")
    amount = sum(price["unit_amount"] * quantity for price, quantity, _ in items)
    if "default_payment_method" in params:
        check_method(work, customer, params["default_payment_method"])
    anchor = params.get("billing_cycle_anchor")
    if anchor is not None and anchor <= work.now:
        raise invalid("billing_cycle_anchor must be in the future.", "billing_cycle_anchor")
    terms = Terms(
        customer, items, trial_end=trial_end(params, work.now), anchor=anchor, given=params
    )
    terms.discounts = chosen_discounts(work, params, customer.id, amount, items[0][0]["currency"])
    return terms


def chosen_discounts(
    work: Work, params: JSON, customer: str, amount: int, currency: str
) -> list[tuple[Record, Record | None]]:
    """Return the coupons that `discounts[]` asks for."""
    given = params.get("discounts") or []
    return [
        discounts.chosen(work, one, customer, amount, currency, f"discounts[{i}]")
        for i, one in enumerate(given)
    ]


def check_common(params: JSON) -> None:
    """Refuse what the stand-in's subscriptions do not have."""
    refuse_not_offered(params, NOT_OFFERED, "subscriptions")
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise invalid(
            "fakestripe offers collection_method charge_automatically only.", "collection_method"
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise invalid(
            "fakestripe does not offer payment_behavior pending_if_incomplete.", "payment_behavior"
        )


def check_method(work: Work, customer: Record, id: str) -> None:
    """Refuse a default card that is not the customer's."""
    method = work.find("payment_method", id, "default_payment_method")
    if method.body["customer"] != customer.id:
        raise invalid(
            f"The customer does not have a payment method with the ID {id}. The payment method"
            " must be attached to the customer.",
            "default_payment_method",
            "resource_missing",
        )


def _item(work: Work, given: JSON, param: str) -> tuple[JSON, int, JSON]:
    offered = ("price", "quantity", "metadata")
    refuse_not_offered(given, [name for name in given if name not in offered], "new items")
    if "price" not in given:
        name = f"{param}[price]"
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    price = work.find("price", given["price"], f"{param}[price]")
    if not price.body["active"]:
        raise invalid(
            "The price specified is inactive. This field only accepts active prices.",
            f"{param}[price]",
        )
    metadata: dict[str, Any] = given.get("metadata") or {}
    return price.shown(), given.get("quantity", 1), metadata
