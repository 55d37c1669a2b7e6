"""What the shop looks at in Checkout Sessions, prices, products, subscriptions and invoices, read
from the JSON of today's API (2026-10-28.endive) into frozen facts.

Amounts in minor units, times in UTC. Each from_dict raises Unprocessable when the JSON is not a
usable object of its kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from storefront.errors import Unprocessable
from storefront.stripe_gateway import reading
from storefront.stripe_gateway.reading import mapping, reference, short_text

PriceInterval = Literal["monthly", "yearly", "one_time"]
_RECURRING: dict[tuple[object, object], PriceInterval] = {
    ("month", 1): "monthly",
    ("year", 1): "yearly",
}


@dataclass(frozen=True)
class CheckoutSession:
    """A visit to Stripe's Checkout page. `checkout_id` is ours, from the metadata. The payment
    intent exists once the customer has confirmed, the subscription once it is complete; `url` only
    while it is open."""

    id: str
    url: str | None
    mode: str
    status: str
    payment_status: str
    customer_id: str | None
    client_reference_id: str | None
    checkout_id: str | None
    subscription_id: str | None
    intent_id: str | None
    invoice_id: str | None
    amount_subtotal: int | None
    amount_total: int | None
    currency: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CheckoutSession":
        reading.check_object(data, "checkout.session")
        return cls(
            id=reading.text(data, "id"),
            url=short_text(data.get("url")),
            mode=reading.text(data, "mode"),
            status=reading.text(data, "status"),
            payment_status=reading.text(data, "payment_status"),
            customer_id=reference(data.get("customer")),
            client_reference_id=short_text(data.get("client_reference_id")),
            checkout_id=short_text(mapping(data.get("metadata")).get("checkout_id")),
            subscription_id=reference(data.get("subscription")),
            intent_id=reference(data.get("payment_intent")),
            invoice_id=reference(data.get("invoice")),
            amount_subtotal=reading.whole_or_none(data, "amount_subtotal"),
            amount_total=reading.whole_or_none(data, "amount_total"),
            currency=short_text(data.get("currency")),
        )


@dataclass(frozen=True)
class ProductFacts:
    """A product; `plan` is the plan's code, from the metadata that provisioning writes."""

    id: str
    name: str
    description: str | None
    active: bool
    plan: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ProductFacts":
        reading.check_object(data, "product")
        return cls(
            id=reading.text(data, "id"),
            name=reading.text(data, "name"),
            description=short_text(data.get("description")),
            active=reading.flag(data, "active"),
            plan=short_text(mapping(data.get("metadata")).get("plan")),
        )


@dataclass(frozen=True)
class PriceFacts:
    """A price. `unit_amount` is None for tiers and fractions; `interval` for anything but once,
    each month, each year. `plan` and `plan_interval` are from the metadata that provisioning
    writes. `product_active` is known where the product was expanded, otherwise taken for granted.
    """

    id: str
    product_id: str
    unit_amount: int | None
    currency: str
    interval: PriceInterval | None
    lookup_key: str | None
    active: bool
    plan: str | None
    plan_interval: str | None
    product_active: bool = True

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PriceFacts":
        reading.check_object(data, "price")
        metadata = mapping(data.get("metadata"))
        return cls(
            id=reading.text(data, "id"),
            product_id=reading.named(data, "product"),
            unit_amount=reading.whole_or_none(data, "unit_amount"),
            currency=reading.text(data, "currency"),
            interval=_interval(data),
            lookup_key=short_text(data.get("lookup_key")),
            active=reading.flag(data, "active"),
            plan=short_text(metadata.get("plan")),
            plan_interval=short_text(metadata.get("interval")),
            product_active=mapping(data.get("product")).get("active", True) is True,
        )


def _interval(price: Mapping[str, Any]) -> PriceInterval | None:
    """None for weeks, quarters, and prices of what was used."""
    if price.get("type") == "one_time":
        return "one_time"
    recurring = mapping(price.get("recurring"))
    if recurring.get("usage_type", "licensed") != "licensed":
        return None
    return _RECURRING.get((recurring.get("interval"), recurring.get("interval_count", 1)))


@dataclass(frozen=True)
class SubscriptionFacts:
    """A subscription with its first item: the shop sells no other kind. The period is that of the
    items (the subscription itself has none since basil) and ends with the last of them.

    It is going to end when `cancel_at_period_end` or when there is a `cancel_at`: under flexible
    billing the portal sets the second and leaves the first.
    """

    id: str
    customer_id: str
    user_id: str | None
    status: str
    item_id: str
    price: PriceFacts
    quantity: int
    current_period_start: datetime
    current_period_end: datetime
    cancel_at_period_end: bool
    cancel_at: datetime | None
    trial_start: datetime | None
    trial_end: datetime | None
    started_at: datetime
    ended_at: datetime | None
    latest_invoice_id: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SubscriptionFacts":
        reading.check_object(data, "subscription")
        items = reading.items(data, "items")
        if not items:
            raise Unprocessable("The subscription has no item.")
        item = items[0]
        return cls(
            id=reading.text(data, "id"),
            customer_id=reading.named(data, "customer"),
            user_id=short_text(mapping(data.get("metadata")).get("user_id")),
            status=reading.text(data, "status"),
            item_id=reading.text(item, "id"),
            price=PriceFacts.from_dict(mapping(item.get("price"))),
            quantity=reading.quantity(item),
            current_period_start=reading.moment(item, "current_period_start"),
            current_period_end=max(reading.moment(each, "current_period_end") for each in items),
            cancel_at_period_end=reading.flag(data, "cancel_at_period_end"),
            cancel_at=reading.moment_or_none(data, "cancel_at"),
            trial_start=reading.moment_or_none(data, "trial_start"),
            trial_end=reading.moment_or_none(data, "trial_end"),
            started_at=reading.moment(data, "start_date"),
            ended_at=reading.moment_or_none(data, "ended_at"),
            latest_invoice_id=reference(data.get("latest_invoice")),
        )
