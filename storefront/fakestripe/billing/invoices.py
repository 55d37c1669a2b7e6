"""`/v1/invoices`: retrieve, update, list, finalize, pay, void, write off, and previews."""

from __future__ import annotations

from stripe.params import (
    InvoiceCreatePreviewParams,
    InvoiceFinalizeInvoiceParams,
    InvoiceLineItemListParams,
    InvoiceListParams,
    InvoiceMarkUncollectibleParams,
    InvoicePayParams,
    InvoiceRetrieveParams,
    InvoiceUpdateParams,
    InvoiceVoidInvoiceParams,
)

from .. import payment_methods
from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..errors import JSON, ApiError, invalid
from ..events import emit
from ..ids import new_id
from ..intent_params import check_method
from ..intent_settlement import Manner, card_error
from ..lists import as_list, list_object
from ..records import Condition, Record, equals
from . import collection, invoice_body, subscription_change
from .refusals import refuse_not_offered
from .subscription_change import Plan, Wish

TYPE = invoice_body.TYPE
SUBSCRIPTION = "parent.subscription_details.subscription"


def retrieve(call: Call) -> JSON:
    """Answer one invoice."""
    return call.target(TYPE, "invoice").shown()


def update(call: Call) -> JSON:
    """Change metadata, description, footer, automatic collection or the card."""
    record, params = call.target(TYPE, "invoice"), call.params
    offered = ("auto_advance", "default_payment_method", "description", "footer", "metadata")
    refuse_not_offered(params, [n for n in params if n not in (*offered, "expand")], "invoices")
    before = record.shown()
    if "default_payment_method" in params:
        method = call.work.find("payment_method", params["default_payment_method"],
                                "default_payment_method")  # fmt: skip
        record.body["default_payment_method"] = method.id
    for name in ("auto_advance", "description", "footer"):
        if name in params:
            record.body[name] = params[name]
    if "metadata" in params:
        record.body["metadata"] = updated(record.body["metadata"], params["metadata"])
    previous = changed(before, record.body)
    if previous:
        call.work.save(record)
        emit(call.work, "invoice.updated", record.shown(), previous)
    return record.shown()


def finalize(call: Call) -> JSON:
    """Open a draft now instead of after its hour; it is collected as if by itself."""
    record = call.target(TYPE, "invoice")
    _check_status(record, ("draft",), "finalize")
    record.body["auto_advance"] = call.params.get("auto_advance", record.body["auto_advance"])
    collection.finalize(call.work, record)
    if record.body["auto_advance"] and record.body["status"] == "open":
        collection.collect(call.work, record)
    return record.shown()


def pay(call: Call) -> JSON:
    """Pay an invoice with a card, the default one without; answer 402 for a decline."""
    work, record, params = call.work, call.target(TYPE, "invoice"), call.params
    refuse_not_offered(params, ("source", "mandate", "forgive"), "invoice payments")
    _check_status(record, ("draft", "open", "uncollectible"), "pay")
    if record.body["status"] == "draft":
        collection.finalize(work, record)
    if record.body["status"] == "paid":
        return record.shown()
    if params.get("paid_out_of_band"):
        record.body["amount_paid_off_stripe"] = record.body["amount_due"]
        collection.mark_paid(work, record)
        return record.shown()
    manner = Manner(off_session=params.get("off_session", True), asks_later=True)
    pay_with(work, record, _method(work, record, params), manner)
    _refuse_to_wait(work, record)
    return record.shown()


def pay_with(work: Work, invoice: Record, method: Record, manner: Manner) -> None:
    """Pay an open invoice; raise the decline. A challenge leaves the intent waiting."""
    intent = work.tx.get("payment_intent", invoice.private["intent"])
    assert intent is not None
    if intent.body["status"] == "processing":
        raise invalid("A payment of this invoice is already processing.", "invoice")
    check_method(intent, method)
    collection.attempt(work, invoice, method, manner)
    if intent.body["last_payment_error"] is not None:
        raise card_error(intent, publishable=False)


def _refuse_to_wait(work: Work, invoice: Record) -> None:
    """Answer 402 when the customer must authenticate; the challenge stays open."""
    intent = work.tx.get("payment_intent", invoice.private["intent"])
    if intent is not None and intent.body["status"] == "requires_action":
        raise ApiError(
            402, "This payment requires additional user action before it can be completed"
            " successfully. Payment can be completed using the PaymentIntent associated with the"
            " invoice.", type="card_error", code="invoice_payment_intent_requires_action",
            executed=True,
        )  # fmt: skip


def void(call: Call) -> JSON:
    """Make an open invoice void: it is as if it had never been due."""
    record = call.target(TYPE, "invoice")
    _check_status(record, ("open", "uncollectible"), "void")
    collection.close_unpaid(call.work, record, "void", "invoice.voided")
    return record.shown()


def mark_uncollectible(call: Call) -> JSON:
    """Write an open invoice off."""
    record = call.target(TYPE, "invoice")
    _check_status(record, ("open",), "mark uncollectible")
    collection.close_unpaid(call.work, record, "uncollectible", "invoice.marked_uncollectible")
    return record.shown()


def list_all(call: Call) -> JSON:
    """List invoices by customer, subscription, status or collection method."""
    params = call.params
    names = ("customer", "status", "collection_method")
    conditions: list[Condition] = [equals(n, params[n]) for n in names if n in params]
    if "subscription" in params:
        conditions.append(equals(SUBSCRIPTION, params["subscription"]))
    return list_object(call.tx, TYPE, "/v1/invoices", params, *conditions)


def list_lines(call: Call) -> JSON:
    """List the lines of an invoice."""
    record = call.target(TYPE, "invoice")
    lines, ids = record.body["lines"]["data"], [x["id"] for x in record.body["lines"]["data"]]
    after, limit = call.params.get("starting_after"), call.params.get("limit", 10)
    if after is not None and after not in ids:
        raise invalid(f"No such line item: '{after}'", "starting_after", "resource_missing")
    rest = lines[ids.index(after) + 1 :] if after else lines
    return as_list(rest[:limit], f"/v1/invoices/{record.id}/lines", len(rest) > limit)


def create_preview(call: Call) -> JSON:
    """Show the next invoice of a subscription, or the one that a change would make."""
    work, params = call.work, call.params
    others = [n for n in params if n not in ("customer", "subscription", "subscription_details",
                                             "preview_mode", "expand")]  # fmt: skip
    refuse_not_offered(params, others, "invoice previews")
    if "subscription" not in params:
        raise invalid("Missing required param: subscription.", "subscription",
                      "parameter_missing")  # fmt: skip
    subscription = work.find("subscription", params["subscription"], "subscription")
    details = params.get("subscription_details", {})
    offered = ("items", "proration_behavior", "proration_date", "billing_cycle_anchor", "trial_end")
    refuse_not_offered(details, [n for n in details if n not in offered], "subscription_details")
    planned = subscription_change.plan(work, subscription, _wish(work, subscription, details))
    return preview(work, subscription, planned)


def preview(work: Work, subscription: Record, planned: Plan) -> JSON:
    """Return the invoice that a planned change makes now, or else the next one."""
    if planned.invoices_now:
        left = subscription.private.get("pending", [])
        charges = [invoice_body.Charge(**charge) for charge in left] + planned.charges
        bill = subscription_change.bill_now(work, subscription, charges)
    else:
        bill = subscription_change.next_bill(work, subscription, planned)
    body = invoice_body.build(work, bill, f"upcoming_{new_id('in')}")
    if not planned.invoices_now:
        body["created"] = body["period_end"]
        body["next_payment_attempt"] = body["period_end"] + collection.DRAFT_SECONDS
    return body


def next_invoice(work: Work, subscription: Record, planned: Plan, made_now: JSON) -> JSON:
    """Return the renewal after a planned change, less what the change leaves as a credit."""
    bill = subscription_change.next_bill(work, subscription, planned)
    body = invoice_body.build(work, bill, f"upcoming_{new_id('in')}")
    if planned.invoices_now and made_now["total"] < 0:
        body["starting_balance"] += made_now["total"]
        invoice_body.total_up(body)
    return body


def _wish(work: Work, subscription: Record, details: JSON) -> Wish:
    return Wish(
        details.get("items", []),
        details.get("proration_behavior", "create_prorations"),
        details.get("proration_date", work.now),
        anchor_now=details.get("billing_cycle_anchor", {}).get("type") == "now",
        ends_trial=details.get("trial_end") == "now" and subscription.body["status"] == "trialing",
    )


def _method(work: Work, invoice: Record, params: JSON) -> Record:
    if "payment_method" in params:
        method = payment_methods.resolve(work, params["payment_method"], "payment_method")
        if method.body["customer"] is None:
            payment_methods.attach_to(work, method, invoice.body["customer"])
        return method
    found = collection.default_method(work, invoice)
    if found is None:
        raise ApiError(
            400, "There is no `default_payment_method` set on this Customer or Invoice. Please set"
            " a default payment method, or pass `payment_method`.",
            code="invoice_payment_intent_requires_action", param="payment_method",
        )  # fmt: skip
    return found


def _check_status(record: Record, allowed: tuple[str, ...], verb: str) -> None:
    status = record.body["status"]
    if status == "paid" and verb == "pay":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if status not in allowed:
        raise invalid(
            f"You can only {verb} an invoice that is {' or '.join(allowed)}. This invoice is"
            f" {status}.",
            code="invoice_not_editable",
        )


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/invoices", InvoiceListParams, list_all),
    Endpoint("POST", "/v1/invoices/create_preview", InvoiceCreatePreviewParams, create_preview),
    Endpoint("GET", "/v1/invoices/<id>", InvoiceRetrieveParams, retrieve),
    Endpoint("POST", "/v1/invoices/<id>", InvoiceUpdateParams, update),
    Endpoint("GET", "/v1/invoices/<id>/lines", InvoiceLineItemListParams, list_lines),
    Endpoint("POST", "/v1/invoices/<id>/finalize", InvoiceFinalizeInvoiceParams, finalize),
    Endpoint("POST", "/v1/invoices/<id>/pay", InvoicePayParams, pay),
    Endpoint("POST", "/v1/invoices/<id>/void", InvoiceVoidInvoiceParams, void),
    Endpoint(
        "POST",
        "/v1/invoices/<id>/mark_uncollectible",
        InvoiceMarkUncollectibleParams,
        mark_uncollectible,
    ),
]
