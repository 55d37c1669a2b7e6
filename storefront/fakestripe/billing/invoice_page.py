"""What the hosted invoice page does, in the page's own transaction."""

from __future__ import annotations

from .. import payment_methods
from ..account import Work
from ..errors import JSON, invalid
from ..intent_settlement import Manner
from ..records import Record
from . import collection
from .invoices import pay_with


def pay_invoice(work: Work, invoice: Record, payment_method_data: JSON | None) -> JSON:
    """Pay an open invoice with a new card or the default one; raise the decline (402)."""
    if invoice.body["status"] == "paid":
        return {"status": "paid"}
    if invoice.body["status"] not in ("open", "uncollectible"):
        raise invalid("This invoice cannot be paid.", "invoice")
    if payment_method_data is not None:
        method = payment_methods.build(work, payment_method_data, "")
    else:
        saved = collection.default_method(work, invoice)
        if saved is None:
            raise invalid("Enter your card.", "payment_method_data", "parameter_missing")
        method = saved
    pay_with(work, invoice, method, Manner(use_stripe_sdk=True))
    return outcome(work, invoice, "paid")


def outcome(work: Work, invoice: Record, done: str) -> JSON:
    """Return `done`, or that the bank wants to be asked first."""
    intent = work.tx.get("payment_intent", invoice.private.get("intent", ""))
    if intent is not None and intent.body["status"] == "requires_action":
        return {"status": "requires_action", "client_secret": intent.body["client_secret"]}
    return {"status": done}
