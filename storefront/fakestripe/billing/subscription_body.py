"""A subscription and its items as Stripe shows them, and what can be read from them."""

from __future__ import annotations

from typing import Any

from ..errors import JSON
from ..ids import new_id

TYPE = "subscription"
LIVE = ("active", "trialing", "past_due", "unpaid", "incomplete", "paused")
ENDED = ("canceled", "incomplete_expired")


def new_body(id: str, customer: str, currency: str, now: int) -> JSON:
    """Return a subscription without items, with every field of the resource."""
    empty = dict.fromkeys(
        ("application", "application_fee_percent", "billing_cycle_anchor_config",
         "billing_thresholds", "cancel_at", "canceled_at", "customer_account", "days_until_due",
         "default_payment_method", "default_source", "description", "ended_at", "latest_invoice",
         "managed_payments", "next_pending_invoice_item_invoice", "on_behalf_of",
         "pause_collection", "pending_invoice_item_interval", "pending_setup_intent",
         "pending_update", "presentment_details", "schedule", "status_details", "test_clock",
         "transfer_data", "trial_end", "trial_start")
    )  # fmt: skip
    return {
        "id": id,
        "object": TYPE,
        **empty,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": now,
        },
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(
            ("comment", "feedback", "feedback_option", "reason")
        ),
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"account": None, "type": "self"},
        },
        "items": {
            "object": "list", "data": [], "has_more": False,
            "url": f"/v1/subscription_items?subscription={id}",
        },
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "incomplete",
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": None,
                "missing_payment_method": "create_invoice",
            }
        },
    }  # fmt: skip


def new_item(subscription: str, price: JSON, quantity: int, period: tuple[int, int],
             now: int) -> JSON:  # fmt: skip
    """Return an item for a price, billed for a period."""
    item: dict[str, Any] = {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": period[1],
        "billing_thresholds": None,
        "created": now,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "subscription": subscription,
        "tax_rates": [],
    }
    set_price(item, price, quantity)
    return item


def set_price(item: JSON, price: JSON, quantity: int) -> None:
    """Make an item one of another price or quantity."""
    item.update(price=price, plan=_plan(price), quantity=quantity)


def set_period(item: JSON, start: int, end: int) -> None:
    """Move an item into another billing period."""
    item.update(current_period_start=start, current_period_end=end, billed_until=end)


def items_of(subscription: JSON) -> list[JSON]:
    """Return the items of a subscription, to be changed in place."""
    items: list[JSON] = subscription["items"]["data"]
    return items


def item_of(subscription: JSON, id: str) -> JSON | None:
    """Return the item of an id, or None."""
    return next((item for item in items_of(subscription) if item["id"] == id), None)


def first_period_end(subscription: JSON) -> int:
    """Return when the next period begins for at least one item."""
    return min(int(item["current_period_end"]) for item in items_of(subscription))


def last_period_end(subscription: JSON) -> int:
    """Return when everything that was billed has run out."""
    return max(int(item["current_period_end"]) for item in items_of(subscription))


def amount_of(item: JSON) -> int:
    """Return what an item costs for a period, in minor units and before discounts."""
    return int(item["price"]["unit_amount"]) * int(item["quantity"])


def _plan(price: JSON) -> JSON:
    """Return the price in the old form that items still carry."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
