"""`expand[]=latest_charge.balance_transaction`: ids replaced by the objects they name.

Which fields can be expanded is read from the SDK's resource classes: an id of another object
is annotated there as `str | OtherObject`.
"""

from __future__ import annotations

import builtins
import typing
from functools import cache
from typing import Any, ForwardRef, get_args, get_origin

import stripe
from stripe._stripe_object import StripeObject

from .billing.included import INCLUDED
from .errors import JSON, ApiError, invalid
from .records import Query, equals
from .store import Transaction

MAX_DEPTH = 4

# Lists that Stripe leaves out unless they are asked for: (type, field) -> (item type, link).
INCLUDED_LISTS = {
    ("charge", "refunds"): ("refund", "charge"),
    ("customer", "subscriptions"): ("subscription", "customer"),
    ("customer", "sources"): ("source", "customer"),
    ("customer", "tax_ids"): ("tax_id", "customer"),
    ("invoice", "payments"): ("invoice_payment", "invoice"),
}
# Classes that are not the plain name of the object in CamelCase.
_CLASSES: dict[str, Any] = {
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
    "billing_portal.configuration": stripe.billing_portal.Configuration,
    "billing_portal.session": stripe.billing_portal.Session,
    "checkout.session": stripe.checkout.Session,
    "invoiceitem": stripe.InvoiceItem,
    "item": stripe.LineItem,
    "line_item": stripe.InvoiceLineItem,
}


def expand(tx: Transaction, body: JSON, paths: list[str]) -> JSON:
    """Return `body` with each path expanded; raise Stripe's error for a path that cannot be."""
    for path in paths:
        parts = path.split(".")
        limit = MAX_DEPTH + (1 if parts[0] == "data" else 0)
        if len(parts) > limit:
            message = f"You cannot expand more than {MAX_DEPTH} levels of a property."
            raise invalid(f"{message} Property: {path}", "expand")
        _walk(tx, body, _class_of(body), parts, path)
    return body


def _walk(tx: Transaction, node: Any, kind: Any, parts: list[str], path: str) -> None:
    """Follow a path through an answer and, beside it, through the SDK's classes."""
    if isinstance(node, list):
        for item in node:
            _walk(tx, item, _class_of(item) or kind, parts, path)
    elif isinstance(node, dict) and parts:
        name, rest = parts[0], parts[1:]
        if node.get("object") == "list" and name == "data":
            _walk(tx, node["data"], None, rest, path)
            return
        _expand_field(tx, node, kind, name, path, last=not rest)
        child = node.get(name)
        _walk(tx, child, _class_of(child) or nested_class(kind, name), rest, path)


def _expand_field(
    tx: Transaction, node: JSON, kind: Any, name: str, path: str, *, last: bool
) -> None:
    type = str(node.get("object", ""))
    if (type, name) in INCLUDED_LISTS:
        node[name] = _included(tx, node, type, name)
        return
    if (type, name) in INCLUDED:
        node[name] = INCLUDED[(type, name)](tx, node)
        return
    value = node.get(name)
    if name not in expandable_fields(kind):
        if last or not isinstance(value, dict | list):
            raise _cannot(path)
    elif name not in node:  # left out for a publishable key
        raise _cannot(path)
    elif isinstance(value, str):
        found = tx.records.named(value)
        if found is not None:
            node[name] = found.shown()
    elif isinstance(value, list):
        node[name] = [_found(tx, item) for item in value]


def _found(tx: Transaction, value: Any) -> Any:
    record = tx.records.named(value) if isinstance(value, str) else None
    return value if record is None else record.shown()


def _included(tx: Transaction, node: JSON, type: str, name: str) -> JSON:
    item_type, link = INCLUDED_LISTS[(type, name)]
    query = Query(item_type, (equals(link, node["id"]),))
    records, more = tx.records.page(query)
    return {
        "object": "list",
        "data": [record.shown() for record in records],
        "has_more": more,
        "url": f"/v1/{type}s/{node['id']}/{name}",
    }


def resource_class(type: str) -> Any:
    """Return the SDK's class for an `object` value such as `payment_intent`, or None."""
    if type in _CLASSES:
        return _CLASSES[type]
    name = "".join(part.capitalize() for part in type.split("_"))
    found = getattr(stripe, name, None)
    return found if isinstance(found, builtins.type) and issubclass(found, StripeObject) else None


def _class_of(node: Any) -> Any:
    return resource_class(str(node.get("object"))) if isinstance(node, dict) else None


@cache
def expandable_fields(kind: Any) -> frozenset[str]:
    """Return the fields of one of the SDK's classes that hold another object's id."""
    hints = getattr(kind, "__annotations__", {})
    return frozenset(name for name, hint in hints.items() if _names_an_object(hint))


def nested_class(kind: Any, name: str) -> Any:
    """Return the SDK's class of a hash inside another, or None."""
    parts = _parts(getattr(kind, "__annotations__", {}).get(name))
    classes = (part for part in parts if isinstance(part, type) and issubclass(part, StripeObject))
    return next(classes, None)


def _names_an_object(hint: Any) -> bool:
    parts = _parts(hint)
    return str in parts and any(isinstance(part, ForwardRef) for part in parts)


def _parts(hint: Any) -> tuple[Any, ...]:
    """Return the alternatives of a union, those of a list's items, or the hint alone."""
    if get_origin(hint) is typing.Union:
        return tuple(part for alternative in get_args(hint) for part in _parts(alternative))
    if get_origin(hint) is list:
        return _parts(get_args(hint)[0])
    return (hint,)


def _cannot(path: str) -> ApiError:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
