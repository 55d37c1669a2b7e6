"""The lines of a Checkout Session: prices with quantities, their discounts and amounts."""

from __future__ import annotations

from ..account import Work
from ..errors import JSON, invalid
from ..ids import new_id
from ..records import Record
from . import discounts, prices, products
from .refusals import exactly_one, refuse_not_offered

MAX_QUANTITY = 999_999


def chosen(work: Work, given: list[JSON], mode: str) -> list[JSON]:
    """Return the lines that `line_items[]` asks for; raise Stripe's 400 for a bad one."""
    lines = [_line(work, item, f"line_items[{i}]") for i, item in enumerate(given)]
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    recurring = [line["price"] for line in lines if line["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to"
            " `subscription` mode or use only one-time prices.",
            "line_items",
        )
    if mode == "subscription" and not recurring:
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using"
            " prices.",
            "line_items",
        )
    return lines


def set_quantity(lines: list[JSON], id: str, quantity: int) -> None:
    """Change the quantity of an adjustable line; raise a 400 outside its limits."""
    line = next((line for line in lines if line["id"] == id), None)
    if line is None or not line["adjustable_quantity"]:
        raise invalid("The quantity of this item cannot be changed.", "quantity")
    limits = line["adjustable_quantity"]
    if not limits["minimum"] <= quantity <= limits["maximum"]:
        raise invalid(
            f"Choose a quantity from {limits['minimum']} to {limits['maximum']}.", "quantity"
        )
    line["quantity"] = quantity


def priced(lines: list[JSON], coupon: JSON | None) -> None:
    """Write the amounts of quantities and discount into the lines, in minor units."""
    subtotals = [line["price"]["unit_amount"] * line["quantity"] for line in lines]
    off = [0] * len(lines)
    if coupon is not None and lines:
        sold = [line["price"]["product"] for line in lines]
        off = discounts.taken_off(coupon, subtotals, sold, lines[0]["currency"])
    for line, subtotal, less in zip(lines, subtotals, off, strict=True):
        line.update(amount_subtotal=subtotal, amount_discount=less, amount_total=subtotal - less)


def subtotal(lines: list[JSON]) -> int:
    """Return what the lines cost before discounts."""
    return sum(line["price"]["unit_amount"] * line["quantity"] for line in lines)


def _line(work: Work, given: JSON, param: str) -> JSON:
    refuse_not_offered(given, ("tax_rates",), "line items")
    price = _price(work, given, param)
    quantity = given.get("quantity", 1)
    adjustable = _adjustable(given.get("adjustable_quantity"))
    if not 1 <= quantity <= MAX_QUANTITY:
        raise invalid(f"Invalid quantity: {quantity}", f"{param}[quantity]")
    product = work.find("product", price.body["product"], f"{param}[price]")
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": adjustable,
        "amount_discount": 0,
        "amount_subtotal": 0,
        "amount_tax": 0,
        "amount_total": 0,
        "currency": price.body["currency"],
        "description": product.body["name"],
        "discounts": None,
        "metadata": given.get("metadata", {}),
        "price": price.shown(),
        "quantity": quantity,
        "taxes": None,
    }


def _price(work: Work, given: JSON, param: str) -> Record:
    if exactly_one(given, ("price", "price_data"), param) == "price":
        price = work.find("price", given["price"], f"{param}[price]")
        if not price.body["active"]:
            raise invalid(
                "The price specified is inactive. This field only accepts active prices.",
                f"{param}[price]",
            )
        return price
    data = dict(given["price_data"])
    if exactly_one(data, ("product", "product_data"), f"{param}[price_data]") == "product_data":
        described = {k: v for k, v in data.pop("product_data").items() if k != "tax_details"}
        data["product"] = products.add(work, described).id
    # Stripe keeps prices made on the spot inactive, so that they are not sold again.
    return prices.add(work, {**data, "active": False})


def _adjustable(given: JSON | None) -> JSON | None:
    if not given or not given["enabled"]:
        return None
    return {
        "enabled": True,
        "maximum": given.get("maximum", 99),
        "minimum": given.get("minimum", 0),
    }
