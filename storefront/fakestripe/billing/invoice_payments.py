"""`/v1/invoice_payments`: which payment intent pays which invoice."""

from __future__ import annotations

from collections.abc import Callable

from stripe.params import InvoicePaymentListParams, InvoicePaymentRetrieveParams

from ..account import Work
from ..call import Call, Endpoint
from ..errors import JSON
from ..events import emit
from ..ids import new_id
from ..lists import list_object
from ..records import Record, equals

TYPE = "invoice_payment"
# The event was seen 15 to 20 seconds after the invoice's own.
PAID_EVENT_SECONDS = 15


def add(work: Work, invoice: JSON, intent: str) -> Record:
    """Store the link between an open invoice and the intent that is to pay it."""
    return work.add(
        {
            "id": new_id("inpay"),
            "object": TYPE,
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": work.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent, "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def close(work: Work, invoice: str, *, paid: bool) -> None:
    """Mark the invoice's open payment as paid or cancelled."""
    for record in work.tx.records.all(TYPE, equals("invoice", invoice), equals("status", "open")):
        record.body["status"] = "paid" if paid else "canceled"
        record.body["status_transitions"]["paid_at" if paid else "canceled_at"] = work.now
        if paid:
            record.body["amount_paid"] = record.body["amount_requested"]
            work.later(PAID_EVENT_SECONDS, "invoice_payment_paid", record.id)
        work.save(record)


def tell_paid(work: Work, id: str) -> None:
    """Send the late event of a payment (its timer)."""
    record = work.tx.get(TYPE, id)
    if record is not None:
        emit(work, "invoice_payment.paid", record.shown())


def retrieve(call: Call) -> JSON:
    """Answer one invoice payment."""
    return call.target(TYPE, TYPE).shown()


def list_all(call: Call) -> JSON:
    """List invoice payments by invoice, payment or status."""
    params = call.params
    conditions = [equals(name, params[name]) for name in ("invoice", "status") if name in params]
    for name in ("payment_intent", "payment_record"):
        if name in params.get("payment", {}):
            conditions.append(equals(f"payment.{name}", params["payment"][name]))
    return list_object(call.tx, TYPE, "/v1/invoice_payments", params, *conditions)


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/invoice_payments", InvoicePaymentListParams, list_all),
    Endpoint("GET", "/v1/invoice_payments/<id>", InvoicePaymentRetrieveParams, retrieve),
]
TIMERS: dict[str, Callable[[Work, str], None]] = {"invoice_payment_paid": tell_paid}
