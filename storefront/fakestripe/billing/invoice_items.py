"""`/v1/invoiceitems`: what is put on a customer's next invoice by hand."""

from __future__ import annotations

from stripe.params import (
    InvoiceItemCreateParams,
    InvoiceItemDeleteParams,
    InvoiceItemListParams,
    InvoiceItemRetrieveParams,
)

from ..account import Work
from ..call import Call, Endpoint
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id
from ..lists import list_object
from ..records import Condition, Record, equals
from . import prices
from .invoice_body import Charge
from .refusals import exactly_one, refuse_not_offered

TYPE = "invoiceitem"
_OFFERED = (
    "amount", "currency", "customer", "description", "expand", "metadata", "period", "pricing",
    "quantity",
)  # fmt: skip
_DEFAULT_NAME = "Invoice item"


def create(call: Call) -> JSON:
    """Put an amount, or a price that is there, on the customer's next invoice."""
    work, params = call.work, call.params
    refuse_not_offered(params, [n for n in params if n not in _OFFERED], "invoice items")
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = work.find("customer", params["customer"], "customer")
    price = _price(work, params)
    record = work.add(_body(call, customer.id, price.body), {"price": price.id})
    emit(work, "invoiceitem.created", record.shown())
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer one invoice item."""
    return call.target(TYPE).shown()


def delete(call: Call) -> JSON:
    """Take an item back that is on no invoice yet."""
    record = call.target(TYPE)
    if record.body["invoice"] is not None:
        raise invalid("This invoice item is on an invoice already: it cannot be deleted.")
    last = record.shown()
    record.deleted = True
    call.work.save(record)
    emit(call.work, "invoiceitem.deleted", last)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List invoice items by customer, by invoice, or those that wait for one."""
    params = call.params
    names = ("customer", "invoice")
    conditions: list[Condition] = [equals(n, params[n]) for n in names if n in params]
    if "pending" in params:
        conditions.append(_on_an_invoice(not params["pending"]))
    return list_object(call.tx, TYPE, "/v1/invoiceitems", params, *conditions)


def pending(work: Work, customer: str) -> list[Record]:
    """Return the customer's items that wait for an invoice, oldest first."""
    found = work.tx.records.all(TYPE, equals("customer", customer), _on_an_invoice(False))
    return sorted(found, key=lambda record: int(record.body["date"]))


def charge_of(work: Work, item: Record) -> Charge:
    """Return what an item bills."""
    price = work.find(prices.TYPE, item.private["price"], "pricing[price]")
    body = item.body
    return Charge(
        body["amount"], price.body, body["quantity"], "", body["period"]["start"],
        body["period"]["end"], body["description"] or _DEFAULT_NAME, metadata=body["metadata"],
        invoice_item=item.id,
    )  # fmt: skip


def _on_an_invoice(is_there: bool) -> Condition:
    return Condition(f"json_extract(body, '$.invoice') IS {'NOT ' if is_there else ''}NULL")


def _price(work: Work, params: JSON) -> Record:
    """Return the price of an item; an amount gets one that nobody else can buy at."""
    if exactly_one(params, ("amount", "pricing"), "amount") == "pricing":
        return work.find(prices.TYPE, params["pricing"].get("price", ""), "pricing[price]")
    if "currency" not in params:
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    refuse_not_offered(params, ("quantity",), "invoice items with an amount")
    product = {"name": params.get("description") or _DEFAULT_NAME}
    return prices.add(
        work,
        {
            "active": False,
            "currency": params["currency"],
            "product_data": product,
            "unit_amount": params["amount"],
        },
    )


def _body(call: Call, customer: str, price: JSON) -> JSON:
    params, now, quantity = call.params, call.now, call.params.get("quantity", 1)
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("ii"),
        "object": TYPE,
        "amount": amount,
        "currency": price["currency"],
        "customer": customer,
        "customer_account": None,
        "date": now,
        "description": params.get("description"),
        "discountable": True,
        "discounts": [],
        "frozen_fields": None,
        "invoice": None,
        "invoicing_rules": None,
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "net_amount": amount,
        "parent": None,
        "period": params.get("period", {"end": now, "start": now}),
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "proration": False,
        "proration_details": None,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": None,
    }


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/invoiceitems", InvoiceItemCreateParams, create),
    Endpoint("GET", "/v1/invoiceitems", InvoiceItemListParams, list_all),
    Endpoint("GET", "/v1/invoiceitems/<id>", InvoiceItemRetrieveParams, retrieve),
    Endpoint("DELETE", "/v1/invoiceitems/<id>", InvoiceItemDeleteParams, delete),
]
