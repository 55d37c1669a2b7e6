"""`POST /v1/invoices`: an invoice made by hand from the items that wait for one."""

from __future__ import annotations

from stripe.params import InvoiceCreateParams

from ..account import Work
from ..call import Call, Endpoint
from ..currencies import checked_currency
from ..errors import JSON, invalid
from ..ids import new_id
from ..records import Record
from . import collection, invoice_body, invoice_items
from .refusals import refuse_not_offered

_OFFERED = (
    "auto_advance", "collection_method", "currency", "customer", "default_payment_method",
    "description", "expand", "footer", "metadata", "pending_invoice_items_behavior",
)  # fmt: skip
_DEFAULT_CURRENCY = "usd"


def create(call: Call) -> JSON:
    """Make a draft of the customer's pending items, if they are to be included; with auto_advance
    it is finalized after an hour."""
    work, params = call.work, call.params
    _check(params)
    customer = work.find("customer", params["customer"], "customer")
    items = _wanted(work, customer, params)
    charges = [invoice_items.charge_of(work, item) for item in items]
    bill = invoice_body.Bill(customer, None, charges, "manual", (call.now, call.now), [],
                             _currency(params))  # fmt: skip
    id = new_id("in")
    for item in items:
        item.body["invoice"] = id
        work.save(item)
    advances = params.get("auto_advance", False)
    details = _details(work, params) | {"auto_advance": advances}
    return collection.draft(work, bill, id, waits=advances, details=details).shown()


def _check(params: JSON) -> None:
    refuse_not_offered(params, [n for n in params if n not in _OFFERED], "invoices")
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise invalid(
            "fakestripe offers collection_method charge_automatically only.", "collection_method"
        )


def _wanted(work: Work, customer: Record, params: JSON) -> list[Record]:
    if params.get("pending_invoice_items_behavior", "exclude") == "exclude":
        return []
    waiting = invoice_items.pending(work, customer.id)
    currency = _currency(params) if "currency" in params or not waiting else (
        waiting[0].body["currency"]
    )  # fmt: skip
    return [item for item in waiting if item.body["currency"] == currency]


def _currency(params: JSON) -> str:
    return checked_currency(params.get("currency", _DEFAULT_CURRENCY))


def _details(work: Work, params: JSON) -> JSON:
    found = {n: params[n] for n in ("description", "footer", "metadata") if params.get(n)}
    if "default_payment_method" in params:
        name = "default_payment_method"
        found[name] = work.find("payment_method", params[name], name).id
    return found


ENDPOINTS: list[Endpoint] = [Endpoint("POST", "/v1/invoices", InvoiceCreateParams, create)]
