"""Another price or quantity in the middle of a period: what is credited, charged, and when.

Worked example, a price of 1000 changed to 3000 half-way through a month: the unused half is
credited (-500) and the rest of the month charged at the new price (+1500). A change of the
interval begins a new period at once: -500 and the whole price of the new interval.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from ..account import Work
from ..errors import JSON, ApiError, invalid
from ..ids import new_id
from ..intent_settlement import Manner, card_error
from ..records import Record
from . import collection, discounts
from . import subscription_state as state
from .invoice_body import Bill, Charge
from .periods import next_boundary, same_rhythm
from .subscription_body import (
    amount_of,
    first_period_end,
    item_of,
    items_of,
    new_item,
    set_period,
    set_price,
)
from .subscription_clock import pending
from .subscription_start import period_charge, product_name, prorated, use_up_discounts

BEHAVIOURS = ("create_prorations", "always_invoice", "none")


@dataclass
class Plan:
    """A change worked out but not made: the body afterwards, and what it costs."""

    after: JSON
    charges: list[Charge] = field(default_factory=list)
    invoices_now: bool = False


@dataclass(frozen=True)
class Wish:
    """What a change asks for. `moment` is when it takes effect, for proration."""

    items: list[JSON]
    behaviour: str
    moment: int
    anchor_now: bool = False
    ends_trial: bool = False


def plan(work: Work, subscription: Record, wish: Wish) -> Plan:
    """Work a change out; raise Stripe's 400 for items or prices that do not exist."""
    body = copy.deepcopy(subscription.body)
    before = copy.deepcopy(items_of(body))
    for i, given in enumerate(wish.items):
        _apply_item(work, body, given, f"items[{i}]", wish.moment)
    if not items_of(body):
        raise invalid("A subscription must have at least one active plan.", "items")
    planned = Plan(body)
    old = {item["id"]: item for item in before}
    restarts = wish.anchor_now or wish.ends_trial or _rhythm_changed(old, items_of(body))
    free = body["status"] == "trialing" and not wish.ends_trial
    if restarts and not free:
        _restart(work, planned, before, wish)
    elif not free and wish.behaviour != "none":
        _prorate(work, planned, old, wish)
        planned.invoices_now = wish.behaviour == "always_invoice" and bool(planned.charges)
    return planned


def make(
    work: Work, subscription: Record, planned: Plan, *, payment: str, on_session: bool = False
) -> Record | None:
    """Carry a planned change out; return the invoice that it made, if it made one.

    `payment` is Stripe's payment_behavior; with `error_if_incomplete` a decline is raised, and
    the caller undoes everything.
    """
    invoice_id = new_id("in") if planned.invoices_now else None
    charges = planned.charges
    if planned.invoices_now:
        charges = pending(subscription) + charges
    with state.changing(work, subscription) as body:
        body.update(planned.after)
        if invoice_id is not None:
            body["latest_invoice"] = invoice_id
    if invoice_id is None:
        kept = [asdict(charge) for charge in charges]
        subscription.private["pending"] = [*subscription.private.get("pending", []), *kept]
        work.save(subscription)
        return None
    invoice = collection.draft(work, bill_now(work, subscription, charges), invoice_id)
    use_up_discounts(work, subscription, invoice.body)
    collection.finalize(work, invoice)
    if invoice.body["status"] == "open":
        _pay(work, invoice, payment, on_session)
    return invoice


def bill_now(work: Work, subscription: Record, charges: list[Charge]) -> Bill:
    """Return the bill of a change that is invoiced at once."""
    customer = work.tx.get("customer", subscription.body["customer"])
    assert customer is not None
    period = (work.now, work.now)
    return Bill(customer, subscription, charges, "subscription_update", period,
                list(subscription.body["discounts"]))  # fmt: skip


def unused(work: Work, subscription: JSON, items: list[JSON], moment: int) -> list[Charge]:
    """Return the credits for what was paid and is not used up at a moment."""
    credits = []
    for item in items:
        start, end = item["current_period_start"], item["current_period_end"]
        if not start <= moment < end:
            continue
        amount = prorated(_net(work, subscription, item), end - moment, end - start)
        text = f"Unused time on {product_name(work, item['price'])} after {_day(moment)}"
        if amount:
            credits.append(Charge(-amount, item["price"], item["quantity"], item["id"],
                                  moment, end, text, proration=True))  # fmt: skip
    return credits


def next_bill(work: Work, subscription: Record, planned: Plan | None = None) -> Bill:
    """Return what the next period will cost, without changing anything."""
    body = copy.deepcopy(planned.after if planned else subscription.body)
    boundary = first_period_end(body)
    left = [Charge(**charge) for charge in subscription.private.get("pending", [])]
    charges = [] if planned and planned.invoices_now else left
    charges += planned.charges if planned and not planned.invoices_now else []
    for item in items_of(body):
        if item["current_period_end"] <= boundary:
            anchor = body["billing_cycle_anchor"]
            end = next_boundary(anchor, item["price"]["recurring"], boundary)
            set_period(item, boundary, end)
            charges.append(period_charge(work, item))
    customer = work.tx.get("customer", body["customer"])
    assert customer is not None
    start = items_of(subscription.body)[0]["current_period_start"]
    return Bill(customer, subscription, charges, "upcoming", (start, boundary),
                list(body["discounts"]))  # fmt: skip


def _pay(work: Work, invoice: Record, payment: str, on_session: bool) -> None:
    """Take the money for a change at once, as payment_behavior says."""
    if payment == "default_incomplete":
        state.fell_due(work, invoice)
        return
    method = collection.default_method(work, invoice)
    if on_session and method is not None:
        collection.attempt(work, invoice, method, Manner(use_stripe_sdk=True))
    else:
        collection.collect(work, invoice)
    if payment != "error_if_incomplete" or invoice.body["status"] == "paid":
        return
    intent = work.tx.get("payment_intent", invoice.private["intent"])
    assert intent is not None
    if intent.body["last_payment_error"] is not None:
        raise _undone(card_error(intent, publishable=False))
    if method is None or not on_session:
        raise ApiError(
            402,
            "The payment for this change could not be taken: this customer has no usable default"
            " payment method, or the card requires authentication.",
            type="card_error",
            code="subscription_payment_intent_requires_action",
        )


def _undone(error: ApiError) -> ApiError:
    """Return the decline as one after which nothing is kept."""
    error.executed = False
    return error


def _apply_item(work: Work, body: JSON, given: JSON, param: str, moment: int) -> None:
    item = item_of(body, given["id"]) if "id" in given else None
    if "id" in given and item is None:
        raise invalid(f"No such subscription item: '{given['id']}'", f"{param}[id]",
                      "resource_missing")  # fmt: skip
    if given.get("deleted") and item is not None:
        items_of(body).remove(item)
        return
    price = _price(work, body, given, item, param)
    quantity = int(given["quantity"] if "quantity" in given else item["quantity"] if item else 1)
    if quantity < 0:
        raise invalid("This value must be greater than or equal to 0.", f"{param}[quantity]")
    if item is None:
        end = next_boundary(body["billing_cycle_anchor"], price["recurring"], moment)
        item = new_item(body["id"], price, quantity, (moment, end), moment)
        items_of(body).append(item)
    else:
        set_price(item, price, quantity)
    if "metadata" in given:
        item["metadata"] = {k: v for k, v in (given["metadata"] or {}).items() if v is not None}


def _price(work: Work, body: JSON, given: JSON, item: JSON | None, param: str) -> JSON:
    if "price" not in given:
        if item is None:
            raise invalid(f"Missing required param: {param}[price].", f"{param}[price]",
                          "parameter_missing")  # fmt: skip
        return dict(item["price"])
    price = work.find("price", given["price"], f"{param}[price]").shown()
    if price["recurring"] is None or price["currency"] != body["currency"]:
        raise invalid(
            "The price of a subscription item must be recurring and in the subscription's currency"
            f" ({body['currency']}).",
            f"{param}[price]",
        )
    return price


def _rhythm_changed(old: dict[str, JSON], items: list[JSON]) -> bool:
    return any(
        item["id"] in old
        and not same_rhythm(item["price"]["recurring"], old[item["id"]]["price"]["recurring"])
        for item in items
    )


def _restart(work: Work, planned: Plan, before: list[JSON], wish: Wish) -> None:
    """Begin new periods now: credit what is left of the old ones, charge the new in full."""
    body, moment = planned.after, wish.moment
    if body["status"] != "trialing" and wish.behaviour != "none":
        planned.charges += unused(work, body, before, moment)
    if wish.ends_trial:
        body.update(status="active", trial_end=moment)
    body["billing_cycle_anchor"] = moment
    for item in items_of(body):
        end = next_boundary(moment, item["price"]["recurring"], moment)
        set_period(item, moment, end)
        planned.charges.append(period_charge(work, item))
    planned.invoices_now = True


def _prorate(work: Work, planned: Plan, old: dict[str, JSON], wish: Wish) -> None:
    """Credit what changed for the rest of its period, and charge the new price for it."""
    body, moment = planned.after, wish.moment
    now = {item["id"]: item for item in items_of(body)}
    for id, before in old.items():
        after = now.get(id)
        if after is None or (after["price"]["id"], after["quantity"]) != (
            before["price"]["id"], before["quantity"],
        ):  # fmt: skip
            planned.charges += unused(work, body, [before], moment)
            planned.charges += _rest(work, body, after, moment)
    for id, item in now.items():
        if id not in old:
            planned.charges += _rest(work, body, item, moment, whole=True)


def _rest(work: Work, body: JSON, item: JSON | None, moment: int, whole: bool = False) -> (
    list[Charge]
):  # fmt: skip
    if item is None:
        return []
    end = item["current_period_end"]
    start = item["current_period_start"]
    if whole:  # a new item's period begins now, but its price is for a whole interval
        start = end - (next_boundary(moment, item["price"]["recurring"], moment) - moment)
    amount = prorated(_net(work, body, item), end - moment, end - start)
    text = f"Remaining time on {product_name(work, item['price'])} after {_day(moment)}"
    return [Charge(amount, item["price"], item["quantity"], item["id"], moment, end, text,
                   proration=True)] if amount else []  # fmt: skip


def _net(work: Work, subscription: JSON, item: JSON) -> int:
    """Return what an item costs for a whole period after the lasting discounts."""
    amount = amount_of(item)
    for _, coupon in discounts.in_force(work, subscription["discounts"], work.now):
        product = item["price"]["product"]
        amount -= discounts.taken_off(coupon, [amount], [product], subscription["currency"])[0]
    return amount


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}"
