"""An invoice as it is made up: lines, discounts, the customer's balance, totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..account import Work
from ..account_info import NAME
from ..errors import JSON
from ..ids import new_id
from ..records import Record
from . import discounts

TYPE = "invoice"


@dataclass(frozen=True)
class Charge:
    """One thing to be billed, in minor units; negative gives money back.

    `start` and `end` are the time it is for. A proration already has its discounts in it.
    `item` is empty for a one-time price; `invoice_item` names what was put on the invoice by hand.
    """

    amount: int
    price: JSON
    quantity: int
    item: str
    start: int
    end: int
    description: str
    proration: bool = False
    metadata: JSON | None = None
    invoice_item: str = ""


@dataclass(frozen=True)
class Bill:
    """What an invoice is made from; `currency` counts where nothing else says it."""

    customer: Record
    subscription: Record | None
    charges: list[Charge]
    reason: str
    period: tuple[int, int]
    discounts: list[str]
    currency: str = ""


def build(work: Work, bill: Bill, id: str = "") -> JSON:
    """Return a draft with every field of the resource; nothing is stored."""
    id = id or new_id("in")
    customer = bill.customer.body
    currency = _currency(bill)
    body = _blank(id, currency, work.now)
    body.update(
        billing_reason=bill.reason,
        customer=customer["id"],
        customer_address=_address(customer["address"]),
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"],
        discounts=bill.discounts,
        period_start=bill.period[0],
        period_end=bill.period[1],
        starting_balance=customer["balance"],
    )
    if bill.subscription is not None:
        body.update(_of_subscription(bill.subscription.body))
    lines = [_line(id, charge, bill.subscription) for charge in bill.charges]
    _take_off(work, lines, bill.discounts, currency)
    body["lines"] = {
        "object": "list", "data": lines, "has_more": False, "url": f"/v1/invoices/{id}/lines",
    }  # fmt: skip
    total_up(body)
    return body


def total_up(body: JSON) -> None:
    """Write the sums of the lines and what is due after the customer's balance."""
    lines = body["lines"]["data"]
    subtotal = sum(line["amount"] for line in lines)
    off: dict[str, int] = {}
    for line in lines:
        for part in line["discount_amounts"]:
            off[part["discount"]] = off.get(part["discount"], 0) + part["amount"]
    total = subtotal - sum(off.values())
    due = max(0, total + body["starting_balance"]) if total > 0 else 0
    amounts = [{"amount": amount, "discount": id} for id, amount in off.items()]
    body.update(
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=total,
        total_excluding_tax=total,
        total_discount_amounts=amounts,
        total_pretax_credit_amounts=[_pretax(part) for part in amounts],
        amount_due=due,
        amount_remaining=due,
    )


def _currency(bill: Bill) -> str:
    if bill.subscription is not None:
        return str(bill.subscription.body["currency"])
    return str(bill.charges[0].price["currency"]) if bill.charges else bill.currency


def _of_subscription(subscription: JSON) -> JSON:
    return {
        "automatic_tax": {
            **_no_tax(),
            "enabled": subscription["automatic_tax"]["enabled"],
            "status": "complete" if subscription["automatic_tax"]["enabled"] else None,
        },
        "collection_method": subscription["collection_method"],
        "default_payment_method": None,
        "description": subscription["invoice_settings"]["description"],
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
    }


def _line(invoice: str, charge: Charge, subscription: Record | None) -> JSON:
    price = charge.price
    line: dict[str, Any] = {
        "id": new_id("il"),
        "object": "line_item",
        "amount": charge.amount,
        "currency": price["currency"],
        "description": charge.description,
        "discount_amounts": [],
        "discountable": not charge.proration,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": charge.metadata or {},
        "parent": None,
        "period": {"end": charge.end, "start": charge.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": charge.quantity,
        "quantity_decimal": str(charge.quantity),
        "subscription": None,
        "subtotal": charge.amount,
        "taxes": [],
    }
    if subscription is None:
        if charge.invoice_item:
            line["parent"] = _of_invoice_item(charge.invoice_item, None)
        return line
    line["subscription"] = subscription.id
    if not charge.item:
        line["parent"] = _of_invoice_item(new_id("ii"), subscription.id)
    else:
        line["parent"] = {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": new_id("ii") if charge.proration else None,
                "proration": charge.proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription.id,
                "subscription_item": charge.item,
            },
            "type": "subscription_item_details",
        }
    return line


def _of_invoice_item(id: str, subscription: str | None) -> JSON:
    return {
        "invoice_item_details": {
            "invoice_item": id,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def _take_off(work: Work, lines: list[JSON], ids: list[str], currency: str) -> None:
    """Apply the discounts one after the other to what may be discounted."""
    for id, coupon in discounts.in_force(work, ids, work.now):
        left = [_left(line) if line["discountable"] else 0 for line in lines]
        products = [line["pricing"]["price_details"]["product"] for line in lines]
        for line, off in zip(
            lines, discounts.taken_off(coupon, left, products, currency), strict=True
        ):
            if off:
                part = {"amount": off, "discount": id}
                line["discount_amounts"].append(part)
                line["pretax_credit_amounts"].append(_pretax(part))


def _left(line: JSON) -> int:
    return int(line["amount"]) - sum(int(part["amount"]) for part in line["discount_amounts"])


def _pretax(part: JSON) -> JSON:
    return {**part, "credit_balance_transaction": None, "type": "discount"}


def _address(address: JSON | None) -> JSON | None:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return None if address is None else {**dict.fromkeys(names), **address}


def _no_tax() -> JSON:
    names = ("disabled_reason", "liability", "provider", "status")
    return {**dict.fromkeys(names), "enabled": False}


def _blank(id: str, currency: str, now: int) -> JSON:
    empty = dict.fromkeys(
        ("account_tax_ids", "amount_paid_off_stripe", "application", "automatically_finalizes_at",
         "confirmation_secret", "custom_fields", "customer_account", "default_payment_method",
         "default_source", "description", "due_date", "effective_at", "ending_balance", "footer",
         "from_invoice", "hosted_invoice_url", "invoice_pdf", "last_finalization_error",
         "latest_revision", "next_payment_attempt", "number", "on_behalf_of", "parent", "payments",
         "receipt_number", "rendering", "shipping_cost", "shipping_details",
         "statement_descriptor", "status_details", "test_clock", "threshold_reason",
         "webhooks_delivered_at")
    )  # fmt: skip
    return {
        "id": id,
        "object": TYPE,
        **empty,
        "account_country": "US",
        "account_name": NAME,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": _no_tax(),
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "issuer": {"account": None, "type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "total_taxes": [],
    }
