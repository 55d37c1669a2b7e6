"""The beginning of a subscription: its items, its trial, its first invoice."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..account import Work
from ..call import updated
from ..currencies import shown
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id
from ..records import Record
from . import collection, discounts, subscription_state
from .invoice_body import Bill, Charge
from .periods import DAY_SECONDS, next_boundary
from .subscription_body import amount_of, items_of, new_body, new_item

MAX_TRIAL_DAYS = 730


@dataclass
class Terms:
    """What is agreed on at the start. `one_time` is charged with the first invoice only."""

    customer: Record
    items: list[tuple[JSON, int, JSON]]  # price, quantity, metadata
    one_time: list[tuple[JSON, int]] = field(default_factory=list)
    trial_end: int | None = None
    anchor: int | None = None  # a later moment at which full periods begin
    discounts: list[tuple[Record, Record | None]] = field(default_factory=list)
    session: str | None = None
    id: str = field(default_factory=lambda: new_id("sub"))
    invoice: str = field(default_factory=lambda: new_id("in"))
    given: JSON = field(default_factory=dict)  # metadata, description, trial_settings, …


def check_items(items: list[tuple[JSON, int, JSON]], param: str) -> None:
    """Refuse no items, one-time prices, two currencies, the same price twice."""
    if not items:
        raise invalid("Missing required param: items.", param, "parameter_missing")
    prices = [price for price, _, _ in items]
    if any(price["recurring"] is None for price in prices):
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices"
            " with `type=recurring`.",
            param,
        )
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", param)
    if len({price["id"] for price in prices}) < len(prices):
        raise invalid("Cannot add multiple subscription items with the same price.", param)


def trial_end(given: JSON, now: int, name: str = "{}") -> int | None:
    """Return when the trial that `trial_period_days` or `trial_end` asks for ends, or None.

    `name` is how the parameters are named in errors.
    """
    days, moment = given.get("trial_period_days"), given.get("trial_end")
    if days is not None and moment is not None:
        raise invalid("Pass only one of trial_period_days and trial_end.", name.format("trial_end"))
    if days is not None:
        if not 1 <= days <= MAX_TRIAL_DAYS:
            raise invalid(
                f"trial_period_days must be from 1 to {MAX_TRIAL_DAYS}.",
                name.format("trial_period_days"),
            )
        return now + int(days) * DAY_SECONDS
    if moment in (None, "now"):
        return None
    if moment <= now:
        raise invalid("The trial_end must be in the future.", name.format("trial_end"))
    return int(moment)


def begin(work: Work, terms: Terms, status: str) -> Record:
    """Store the subscription with its items and discounts, and its `created` event."""
    currency = terms.items[0][0]["currency"]
    body = new_body(terms.id, terms.customer.id, currency, work.now)
    anchor = terms.trial_end or terms.anchor or work.now
    body.update(
        status="trialing" if terms.trial_end else status,
        billing_cycle_anchor=anchor,
        latest_invoice=terms.invoice,
        trial_start=work.now if terms.trial_end else None,
        trial_end=terms.trial_end,
    )
    _apply(body, terms.given)
    for price, quantity, metadata in terms.items:
        end = anchor if anchor > work.now else next_boundary(anchor, price["recurring"], anchor)
        item = new_item(terms.id, price, quantity, (work.now, end), work.now)
        item["metadata"] = metadata
        items_of(body).append(item)
    granted = [
        discounts.grant(work, coupon, code, customer=terms.customer.id, subscription=terms.id,
                        session=terms.session)
        for coupon, code in terms.discounts
    ]  # fmt: skip
    body["discounts"] = [discount.id for discount in granted]
    subscription = work.add(body)
    _take_currency(work, terms.customer, currency)
    emit(work, "customer.subscription.created", subscription.shown())
    for discount in granted:
        emit(work, "customer.discount.created", discount.shown())
    subscription_state.schedule(work, subscription)
    return subscription


def first_invoice(work: Work, subscription: Record, terms: Terms) -> Record:
    """Store the draft of the first invoice, under the id that the subscription names."""
    body = subscription.body
    charges = [_first_charge(work, subscription, item) for item in items_of(body)]
    for price, quantity in terms.one_time:
        name = product_name(work, price)
        amount = price["unit_amount"] * quantity
        charges.append(Charge(amount, price, quantity, "", work.now, work.now, name))
    period = (work.now, work.now)
    bill = Bill(terms.customer, subscription, charges, "subscription_create", period,
                body["discounts"])  # fmt: skip
    invoice = collection.draft(work, bill, terms.invoice)
    use_up_discounts(work, subscription, invoice.body)
    return invoice


def use_up_discounts(work: Work, subscription: Record, invoice: JSON) -> None:
    """Take from the subscription the discounts for one invoice that this one has used."""
    used = {part["discount"] for part in invoice["total_discount_amounts"]}
    gone = [id for id in discounts.spent(work, subscription.body["discounts"]) if id in used]
    if gone:
        left = [id for id in subscription.body["discounts"] if id not in gone]
        subscription.body["discounts"] = left
        work.save(subscription)


def period_charge(work: Work, item: JSON) -> Charge:
    """Return the charge of an item for its current period."""
    name = product_name(work, item["price"])
    each, interval = _shown(item["price"]), item["price"]["recurring"]["interval"]
    return Charge(
        amount_of(item), item["price"], item["quantity"], item["id"],
        item["current_period_start"], item["current_period_end"],
        f"{item['quantity']} × {name} (at {each} / {interval})", metadata=item["metadata"],
    )  # fmt: skip


def product_name(work: Work, price: JSON) -> str:
    """Return the name of what a price sells."""
    product = work.tx.get("product", price["product"])
    return str(product.body["name"]) if product is not None else str(price["product"])


def _first_charge(work: Work, subscription: Record, item: JSON) -> Charge:
    """Charge nothing for a trial, a part of the period before a later anchor, or all of it."""
    charge = period_charge(work, item)
    body = subscription.body
    if body["status"] == "trialing":
        name = product_name(work, item["price"])
        return Charge(0, charge.price, charge.quantity, charge.item, charge.start, charge.end,
                      f"Trial period for {name}", metadata=charge.metadata)  # fmt: skip
    full_end = next_boundary(work.now, item["price"]["recurring"], work.now)
    if charge.end >= full_end:
        return charge
    part = prorated(charge.amount, charge.end - charge.start, full_end - work.now)
    return Charge(part, charge.price, charge.quantity, charge.item, charge.start, charge.end,
                  charge.description, metadata=charge.metadata)  # fmt: skip


def prorated(amount: int, seconds: int, of_seconds: int) -> int:
    """Return the share of an amount for a part of a period, in minor units, rounded half up."""
    return (2 * amount * seconds + of_seconds) // (2 * of_seconds)


def _apply(body: JSON, given: JSON) -> None:
    for name in ("description", "default_payment_method", "cancel_at_period_end"):
        if name in given:
            body[name] = given[name]
    body["metadata"] = updated({}, given.get("metadata"))
    if "automatic_tax" in given:
        body["automatic_tax"]["enabled"] = given["automatic_tax"]["enabled"]
    if "trial_settings" in given:
        body["trial_settings"]["end_behavior"].update(given["trial_settings"]["end_behavior"])
    mode = given.get("billing_mode", {})
    if mode.get("type") == "classic":
        body["billing_mode"] = {"flexible": None, "type": "classic", "updated_at": None}
    elif "flexible" in mode:
        body["billing_mode"]["flexible"] = {"proration_discounts": "included", **mode["flexible"]}
    saving = given.get("payment_settings", {}).get("save_default_payment_method")
    if saving:
        body["payment_settings"]["save_default_payment_method"] = saving


def _take_currency(work: Work, customer: Record, currency: str) -> None:
    """A customer's first subscription fixes the currency of its invoices."""
    if customer.body["currency"] is None:
        customer.body["currency"] = currency
        work.save(customer)


def _shown(price: JSON) -> str:
    return shown(price["unit_amount"], price["currency"]).rsplit(" ", 1)[0]
