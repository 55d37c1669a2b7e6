"""Compares an answer with the SDK's resource classes: field names both ways, and types."""

from __future__ import annotations

import typing
from decimal import Decimal
from typing import Any, ForwardRef, get_args, get_origin

import stripe
from stripe import StripeObject
from stripe._list_object import ListObject
from stripe._stripe_object import UntypedStripeObject

JSON = dict[str, Any]

# Fields that an answer has only at certain moments.
ONLY_SOMETIMES = {
    "deleted": "only a deleted object has it",
    "secret": "a webhook endpoint's is answered at its creation alone",
}

# Objects whose class is not named after them.
_OTHER_NAMES: dict[str, type[StripeObject]] = {
    "billing_portal.configuration": stripe.billing_portal.Configuration,
    "billing_portal.session": stripe.billing_portal.Session,
    "checkout.session": stripe.checkout.Session,
    "invoiceitem": stripe.InvoiceItem,
    "item": stripe.LineItem,
    "line_item": stripe.InvoiceLineItem,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
}


def resource(answer: JSON) -> type[StripeObject]:
    """Return the SDK's class for an answer by its `object` field."""
    if answer["object"] in _OTHER_NAMES:
        return _OTHER_NAMES[answer["object"]]
    name = "".join(part.capitalize() for part in answer["object"].split("_"))
    found: type[StripeObject] = getattr(stripe, name)
    return found


def field_names(kind: type[StripeObject]) -> set[str]:
    """Return the fields that a class of the SDK declares."""
    constants = {n for n, hint in kind.__annotations__.items() if "ClassVar" in str(hint)}
    return {name for name in kind.__annotations__ if name[0] != "_"} - constants


def missing_fields(answer: JSON) -> set[str]:
    """Return declared fields that a top-level answer lacks without a reason."""
    declared = field_names(resource(answer)) - set(ONLY_SOMETIMES)
    if answer["object"] == "payment_method":
        # A payment method carries the hash of its own type only.
        types = {name for name in declared if name in _method_types()}
        declared -= types - {answer["type"]}
    return declared - set(answer)


def _method_types() -> set[str]:
    hint = stripe.PaymentMethod.__annotations__["type"]
    return {value for part in get_args(hint) for value in get_args(part)}


def faults(value: Any, hint: Any, path: str) -> list[str]:
    """Return what of a value contradicts its annotation, down to the leaves."""
    if value is None:
        return [] if type(None) in _parts(hint) else [f"{path} is null"]
    for part in _parts(hint):
        found = _faults_of_one(value, part, path)
        if found is not None:
            return found
    return [f"{path} is {value!r}, which is none of {hint}"]


def object_faults(value: JSON, kind: type[StripeObject], path: str) -> list[str]:
    """Return what of an answer contradicts a class: unknown names, and values of wrong type."""
    declared = field_names(kind)
    found = [f"{path}.{name} is not declared" for name in value if name not in declared]
    for name in declared & set(value):
        found += faults(value[name], kind.__annotations__[name], f"{path}.{name}")
    return found


def _faults_of_one(value: Any, part: Any, path: str) -> list[str] | None:
    """Return faults if the value is of this alternative's kind, None if it is of another."""
    origin = get_origin(part)
    if origin is typing.Literal:
        return [] if value in get_args(part) else None
    if origin is ListObject:
        is_list = isinstance(value, dict) and value.get("object") == "list"
        return [] if is_list else None
    if origin is list and isinstance(value, list):
        item = get_args(part)[0]
        return [fault for i, v in enumerate(value) for fault in faults(v, item, f"{path}[{i}]")]
    if origin is UntypedStripeObject or part is Any:
        return []
    if isinstance(part, ForwardRef | str):
        return _whole_object(value, path)
    if isinstance(part, type) and issubclass(part, StripeObject):
        return object_faults(value, part, path) if isinstance(value, dict) else None
    if part is float and isinstance(value, int):
        return []
    if part is Decimal:  # the SDK makes it from a string in the answer
        return [] if isinstance(value, str) and Decimal(value).is_finite() else None
    exact = isinstance(value, part) and isinstance(value, bool) == (part is bool)
    return [] if exact else None


def _whole_object(value: Any, path: str) -> list[str] | None:
    if not isinstance(value, dict) or "object" not in value:
        return None
    return object_faults(value, resource(value), path)


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is typing.Union else (hint,)


def enumerated(hint: Any) -> set[str]:
    """Return the values that an open enumeration lists."""
    return {v for p in _parts(hint) if get_origin(p) is typing.Literal for v in get_args(p)}


def nested_class(kind: type[StripeObject], name: str) -> type[StripeObject]:
    """Return the SDK's class of a hash inside another."""
    found: type[StripeObject] = next(
        part for part in _parts(kind.__annotations__[name]) if isinstance(part, type)
        and issubclass(part, StripeObject)
    )  # fmt: skip
    return found
