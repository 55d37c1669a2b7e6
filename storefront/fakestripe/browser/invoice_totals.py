"""The sums under an invoice's lines, as its page and its PDF show them."""

from __future__ import annotations

from ..errors import JSON


def totals(invoice: JSON) -> list[tuple[str, int, bool]]:
    """Name, amount in minor units, and whether it is the last word; only what is not nothing."""
    rows = [("Subtotal", invoice["subtotal"], False)]
    off = sum(part["amount"] for part in invoice["total_discount_amounts"] or [])
    if off:
        rows.append(("Discount", -off, False))
    rows.append(("Total", invoice["total"], False))
    balance = invoice["amount_due"] - invoice["total"]
    if balance:
        rows.append(("Applied balance", balance, False))
    if invoice["amount_paid"]:
        rows.append(("Amount paid", -invoice["amount_paid"], False))
    rows.append(("Amount due", invoice["amount_remaining"], True))
    return rows
