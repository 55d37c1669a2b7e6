"""Fields that Stripe leaves out of an answer until they are expanded."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import JSON
from ..lists import as_list
from ..store import Transaction


def line_items(tx: Transaction, session: JSON) -> JSON:
    """Return the first lines of a Checkout Session."""
    record = tx.records.named(session["id"])
    lines = record.private["lines"] if record else []
    return as_list(lines[:10], f"/v1/checkout/sessions/{session['id']}/line_items", len(lines) > 10)


def confirmation_secret(tx: Transaction, invoice: JSON) -> JSON | None:
    """Return what Stripe.js needs to pay an open invoice, None when nothing is to be paid."""
    record = tx.records.named(invoice["id"])
    intent = tx.records.named(record.private.get("intent", "")) if record else None
    if intent is None:
        return None
    return {"client_secret": intent.body["client_secret"], "type": intent.type}


INCLUDED: dict[tuple[str, str], Callable[[Transaction, JSON], JSON | None]] = {
    ("checkout.session", "line_items"): line_items,
    ("invoice", "confirmation_secret"): confirmation_secret,
}
