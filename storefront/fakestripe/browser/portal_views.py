"""What the portal's pages show, put into words from the objects' own JSON."""

from __future__ import annotations

from typing import Any

from ..account import Work
from ..billing.collection import saved_method
from ..errors import JSON
from ..records import Record, equals
from .money import day, money, price_text, short_day

ENDED = ("canceled", "incomplete", "incomplete_expired")
CHANGEABLE = ("active", "trialing", "past_due")
SHOWN_INVOICES = 24
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express",
          "discover": "Discover", "diners": "Diners Club", "jcb": "JCB",
          "unionpay": "UnionPay"}  # fmt: skip
BADGES = {
    "active": ("good", "Active"),
    "trialing": ("good", "Trial"),
    "past_due": ("wait", "Past due"),
    "unpaid": ("wait", "Unpaid"),
    "paused": ("wait", "Paused"),
    "paid": ("good", "Paid"),
    "open": ("wait", "Open"),
    "uncollectible": ("wait", "Uncollectible"),
    "void": ("none", "Void"),
    "draft": ("none", "Draft"),
}


def badge(status: str) -> JSON:
    """The tone and the word for a status."""
    tone, word = BADGES.get(status, ("none", status.replace("_", " ").capitalize()))
    return {"tone": tone, "word": word}


def subscriptions(work: Work, portal: Record) -> list[JSON]:
    """The customer's subscriptions that have not ended, newest first."""
    found = work.tx.records.all("subscription", equals("customer", portal.body["customer"]))
    return [subscription(work, record) for record in found if record.body["status"] not in ENDED]


def subscription(work: Work, record: Record) -> JSON:
    """One subscription: its plan, its price, and what comes next."""
    body = record.body
    item = body["items"]["data"][0]
    return {
        "id": record.id,
        "status": body["status"],
        "badge": badge(body["status"]),
        "name": product_name(work, item["price"]),
        "price": price_text(item["price"]),
        "quantity": item.get("quantity", 1),
        "ends": ends_at(body),
        "next": _what_comes_next(body),
    }


def ends_at(subscription: JSON) -> int | None:
    """When a subscription is scheduled to end, in whichever of the two ways Stripe says it."""
    if subscription["cancel_at"] is not None:
        return int(subscription["cancel_at"])
    return period_end(subscription) if subscription["cancel_at_period_end"] else None


def period_end(subscription: JSON) -> int:
    """The end of what is paid for: the latest of the items' periods."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def _what_comes_next(body: JSON) -> str:
    end = ends_at(body)
    if end is not None:
        return f"Your subscription ends on {day(end)}."
    if body["status"] == "trialing":
        return f"Your free trial ends on {day(body['trial_end'])}."
    if body["status"] == "active":
        return f"Your subscription renews on {day(period_end(body))}."
    if body["status"] == "paused":
        return "Your subscription is paused."
    return "The last payment did not go through."


def product_name(work: Work, price: JSON) -> str:
    """The name of a price's product, whether or not it is expanded."""
    product = price["product"]
    if isinstance(product, dict):
        return str(product["name"])
    record = work.tx.get("product", product)
    return str(record.body.get("name", product)) if record else str(product)


def customers_card(work: Work, customer: Record) -> JSON | None:
    """The customer's default card, or the one of the newest subscription that has its own.

    Checkout saves a card as the subscription's, not as the customer's default.
    """
    found = saved_method(work, customer, None)
    for record in work.tx.records.all("subscription", equals("customer", customer.id)):
        if found is None and record.body["status"] not in ENDED:
            found = saved_method(work, customer, record)
    return card_in_words(found)


def card_of_subscription(work: Work, record: Record) -> JSON | None:
    """The card that a subscription is charged to: its own, or the customer's default."""
    customer = work.find("customer", record.body["customer"], "customer")
    return card_in_words(saved_method(work, customer, record))


def card_in_words(method: Record | None) -> JSON | None:
    """Brand, last digits and expiry of a saved payment method; None without one."""
    if method is None:
        return None
    body = method.body
    if body["type"] != "card":
        return {"brand": None, "text": f"Bank account •••• {body[body['type']]['last4']}"}
    card = body["card"]
    brand = BRANDS.get(card["brand"], card["brand"].capitalize())
    return {
        "brand": card["brand"] if card["brand"] in BRANDS else None,
        "text": f"{brand} •••• {card['last4']}",
        "expires": f"Expires {card['exp_month']:02d}/{card['exp_year']}",
    }


def invoices(work: Work, portal: Record) -> list[JSON]:
    """The customer's finalized invoices, newest first."""
    found = work.tx.records.all("invoice", equals("customer", portal.body["customer"]))
    shown = [record.body for record in found if record.body["status"] != "draft"]
    return [_invoice(body) for body in shown[:SHOWN_INVOICES]]


def _invoice(body: JSON) -> JSON:
    lines = body["lines"]["data"]
    return {
        "number": body["number"],
        "date": short_day(body["created"]),
        "amount": money(body["total"], body["currency"]),
        "badge": badge(body["status"]),
        "open": body["status"] == "open" and body["amount_remaining"] > 0,
        "url": body["hosted_invoice_url"],
        "what": lines[0]["description"] if lines else "",
    }


def address_lines(address: dict[str, Any] | None) -> list[str]:
    """A postal address line by line."""
    if not address:
        return []
    names = ("line1", "line2", "city", "state", "postal_code", "country")
    values = {name: address.get(name) or "" for name in names}
    town = " ".join(filter(None, (values["city"], values["state"], values["postal_code"])))
    return [line for line in (values["line1"], values["line2"], town, values["country"]) if line]
