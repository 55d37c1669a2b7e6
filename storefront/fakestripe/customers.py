"""`/v1/customers`."""

from __future__ import annotations

from stripe.params import (
    CustomerCreateParams,
    CustomerDeleteParams,
    CustomerListParams,
    CustomerListPaymentMethodsParams,
    CustomerRetrieveParams,
    CustomerUpdateParams,
)

from . import payment_methods
from .account import Work
from .billing import subscription_state
from .billing.subscription_body import ENDED
from .call import Call, Endpoint, changed, updated
from .errors import JSON, invalid
from .events import emit
from .ids import new_id, random_text
from .lists import list_object
from .records import Condition, Record, equals

TYPE = "customer"

_PLAIN = (
    "address", "balance", "business_name", "description", "email", "individual_name", "name",
    "next_invoice_sequence", "phone", "shipping",
)  # fmt: skip
# Declared by the SDK, but about parts of Stripe that the stand-in does not have.
_NOT_OFFERED = ("cash_balance", "source", "tax", "tax_id_data", "test_clock", "default_source")


def new_body(created: int) -> JSON:
    """Return a customer about whom nothing is known, with every field of the resource."""
    return {
        "id": new_id("cus"),
        "object": TYPE,
        "address": None,
        "balance": 0,
        "business_name": None,
        "cash_balance": None,
        "created": created,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "individual_name": None,
        "invoice_credit_balance": {},
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "sources": None,
        "subscriptions": None,
        "tax": None,
        "tax_exempt": "none",
        "tax_ids": None,
        "test_clock": None,
    }


def create(call: Call) -> JSON:
    """Create a customer, with a payment method attached when one is given."""
    body = new_body(call.now)
    _apply(body, call.params)
    record = call.work.add(body)
    if "payment_method" in call.params:
        method = payment_methods.resolve(call.work, call.params["payment_method"], "payment_method")
        payment_methods.attach_to(call.work, method, record.id)
        settings = record.body["invoice_settings"]
        if settings["default_payment_method"] == call.params["payment_method"]:
            settings["default_payment_method"] = method.id  # both may say pm_card_visa
            call.work.save(record)
    _check_default(call.work, record)
    emit(call.work, "customer.created", record.shown())
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer a customer; a deleted one is answered as its stub."""
    return call.target(TYPE, deleted=True).shown()


def update(call: Call) -> JSON:
    """Change a customer."""
    record = call.target(TYPE)
    before = record.shown()
    _apply(record.body, call.params)
    _check_default(call.work, record)
    call.work.save(record)
    previous = changed(before, record.body)
    if previous:
        emit(call.work, "customer.updated", record.shown(), previous)
    return record.shown()


def delete(call: Call) -> JSON:
    """Delete a customer for good: its subscriptions end, its payment methods are detached."""
    record = call.target(TYPE)
    last = record.shown()
    for subscription in call.tx.records.all("subscription", equals(TYPE, record.id)):
        if subscription.body["status"] not in ENDED:
            subscription_state.end(call.work, subscription, "cancellation_requested")
    for method in call.tx.records.all("payment_method", equals(TYPE, record.id)):
        payment_methods.detach_from_customer(call.work, method)
    record.deleted = True
    call.work.save(record)
    emit(call.work, "customer.deleted", last)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List customers, filtered by e-mail (exact and case-sensitive, as Stripe does)."""
    conditions: list[Condition] = []
    if "email" in call.params:
        conditions.append(equals("email", call.params["email"]))
    if "test_clock" in call.params:
        conditions.append(equals("test_clock", call.params["test_clock"]))
    return list_object(call.tx, TYPE, "/v1/customers", call.params, *conditions)


def list_payment_methods(call: Call) -> JSON:
    """List the payment methods attached to the customer."""
    customer = call.target(TYPE, "customer")
    url = f"/v1/customers/{customer.id}/payment_methods"
    conditions = payment_methods.conditions({**call.params, "customer": customer.id})
    return list_object(call.tx, "payment_method", url, call.params, *conditions)


def _apply(body: JSON, params: JSON) -> None:
    for name in _NOT_OFFERED:
        if name in params:
            raise invalid(f"fakestripe does not offer the parameter {name} of customers.", name)
    for name in _PLAIN:
        if name in params:
            body[name] = params[name]
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])
    if "preferred_locales" in params:
        body["preferred_locales"] = params["preferred_locales"]
    if "tax_exempt" in params:
        body["tax_exempt"] = params["tax_exempt"] or "none"
    if "invoice_prefix" in params:
        body["invoice_prefix"] = params["invoice_prefix"]
    if "invoice_settings" in params:
        body["invoice_settings"] = {**body["invoice_settings"], **params["invoice_settings"]}
    _check_email(body["email"])


def _check_email(email: str | None) -> None:
    if email is not None and ("@" not in email.strip("@") or len(email) > 512):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")


def _check_default(work: Work, customer: Record) -> None:
    id = customer.body["invoice_settings"]["default_payment_method"]
    if id is None:
        return
    param = "invoice_settings[default_payment_method]"
    method = work.find("payment_method", id, param)
    if method.body["customer"] != customer.id:
        raise invalid(
            "The customer does not have a payment method with the ID"
            f" {id}. The payment method must be attached to the customer.",
            param,
            "resource_missing",
        )


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/customers", CustomerCreateParams, create),
    Endpoint("GET", "/v1/customers", CustomerListParams, list_all),
    Endpoint("GET", "/v1/customers/<id>", CustomerRetrieveParams, retrieve),
    Endpoint("POST", "/v1/customers/<id>", CustomerUpdateParams, update),
    Endpoint("DELETE", "/v1/customers/<id>", CustomerDeleteParams, delete),
    Endpoint(
        "GET",
        "/v1/customers/<id>/payment_methods",
        CustomerListPaymentMethodsParams,
        list_payment_methods,
    ),
]
