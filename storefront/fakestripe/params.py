"""Strict checking of request parameters against the SDK's own `stripe.params` TypedDicts.

What may be sent, and of what type, is read from those classes at run time, so that the
stand-in refuses what the pinned API version refuses without keeping a copy of its rules.
The SDK types open enumerations as `Literal[…] | str`; Stripe refuses unlisted values there,
and so does this.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from stripe._request_options import RequestOptions  # a TypedDict, not the HTTP client
from typing_extensions import get_type_hints, is_typeddict

from .errors import JSON, ApiError, invalid

MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_LENGTH = 40
MAX_METADATA_VALUE_LENGTH = 500
MAX_TEXT_LENGTH = 5_000

REMOVED_PARAMETERS = {
    "payment_method_types": (
        "payment_method_types_no_longer_supported",
        "The parameter `payment_method_types` is no longer supported in this API version."
        " Use `allowed_payment_method_types` to limit the payment methods, or manage them"
        " from the Dashboard.",
    )
}


@dataclass(frozen=True)
class Shape:
    """What a value may be; several kinds at once for a union."""

    choices: tuple[str, ...] = ()
    text: bool = False
    integer: bool = False
    number: bool = False
    boolean: bool = False
    unset: bool = False  # an empty string is allowed and means "remove"
    map_of: Shape | None = None
    list_of: Shape | None = None
    hash_of: type | None = None
    more: tuple[tuple[str, Shape], ...] = ()  # fields that a hash takes besides its own


@dataclass(frozen=True)
class Fields:
    """The parameters of one hash, and those that must be there."""

    shapes: dict[str, Shape]
    required: frozenset[str]

    def plus(self, extra: dict[str, Shape]) -> Fields:
        """Return these fields and some more optional ones."""
        return replace(self, shapes={**self.shapes, **extra})


@cache
def fields_of(params: type) -> Fields:
    """Read the allowed and the required parameters from a `stripe.params` TypedDict."""
    # For the request options' own annotations, whose fields are dropped below: StripeContext is
    # imported by the SDK for type checkers only.
    names_of_options = {"StripeContext": object, "Mapping": Mapping}
    hints = get_type_hints(params, vars(sys.modules[params.__module__]), names_of_options)
    names = [name for name in hints if name not in RequestOptions.__annotations__]
    required = frozenset(getattr(params, "__required_keys__", ()))
    return Fields({name: shape_of(hints[name]) for name in names}, required)


def shape_of(annotation: Any) -> Shape:
    """Translate one type annotation of the SDK."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _union([shape_of(part) for part in get_args(annotation)])
    if origin in (Literal, typing.Literal):
        values = [value for value in get_args(annotation) if value != ""]
        return Shape(choices=tuple(values), unset="" in get_args(annotation))
    if origin is list:
        return Shape(list_of=shape_of(get_args(annotation)[0]))
    if origin is not None:  # Dict[str, X] and UntypedStripeObject[X]
        return Shape(map_of=shape_of(get_args(annotation)[-1]))
    if is_typeddict(annotation):
        return Shape(hash_of=annotation)
    return _SIMPLE.get(annotation, Shape(text=True))


_SIMPLE: dict[Any, Shape] = {
    str: Shape(text=True),
    int: Shape(integer=True),
    float: Shape(number=True),
    Decimal: Shape(number=True),
    bool: Shape(boolean=True),
    type(None): Shape(),
}


def _union(shapes: list[Shape]) -> Shape:
    merged = Shape()
    for shape in shapes:
        merged = Shape(
            choices=merged.choices + shape.choices,
            text=merged.text or shape.text,
            integer=merged.integer or shape.integer,
            number=merged.number or shape.number,
            boolean=merged.boolean or shape.boolean,
            unset=merged.unset or shape.unset,
            map_of=merged.map_of or shape.map_of,
            list_of=merged.list_of or shape.list_of,
            hash_of=merged.hash_of or shape.hash_of,
        )
    return merged


def check(fields: Fields, given: JSON, prefix: str = "") -> JSON:
    """Return `given` with its values converted, or raise Stripe's error for the first fault.

    An unset value (`""` where allowed) becomes None. Names in errors use the bracket form.
    """
    _refuse_unknown(fields, given, prefix)
    for name in sorted(fields.required - set(given)):
        full = _named(prefix, name)
        raise invalid(f"Missing required param: {full}.", full, "parameter_missing")
    return {
        name: _value(fields.shapes[name], value, _named(prefix, name))
        for name, value in given.items()
    }


def _refuse_unknown(fields: Fields, given: JSON, prefix: str) -> None:
    unknown = [name for name in given if name not in fields.shapes]
    if not unknown:
        return
    if unknown[0] in REMOVED_PARAMETERS and not prefix:
        code, message = REMOVED_PARAMETERS[unknown[0]]
        raise invalid(message, unknown[0], code)
    names = [_named(prefix, name) for name in unknown]
    plural = "s" if len(names) > 1 else ""
    message = f"Received unknown parameter{plural}: {', '.join(names)}"
    raise invalid(message, names[0], "parameter_unknown")


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _value(shape: Shape, value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return _nested(shape, value, name)
    if value == "":
        return _empty(shape, name)
    if "\0" in value:
        raise invalid(f"Invalid string: {name} contains a null byte", name)
    if shape.boolean and value in ("true", "false"):
        return value == "true"
    if value in shape.choices:
        return value
    if shape.integer:
        return _integer(value, name)
    if shape.number:
        return _number(value, name)
    if shape.choices:
        raise _not_a_choice(shape, name)
    if shape.boolean:
        raise invalid(f"Invalid boolean: {value}", name)
    if shape.text:
        return _text(value, name)
    kind = "array" if shape.list_of else "object"
    raise invalid(f"Invalid {kind}", name)


def _empty(shape: Shape, name: str) -> None:
    if shape.unset:
        return
    raise invalid(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to"
        f" unset a parameter; however '{name}' cannot be unset. You should remove '{name}'"
        " from your request or supply a non-empty value.",
        name,
        "parameter_invalid_empty",
    )


def _nested(shape: Shape, value: JSON, name: str) -> Any:
    if shape.list_of and _is_list(value):
        items = [value[key] for key in sorted(value, key=int)]
        return [_value(shape.list_of, item, f"{name}[{i}]") for i, item in enumerate(items)]
    if shape.hash_of:
        return check(fields_of(shape.hash_of).plus(dict(shape.more)), value, name)
    if shape.map_of:
        return _map(shape.map_of, value, name)
    if shape.list_of:
        raise invalid("Invalid array", name)
    raise invalid(f"Invalid string: {name} must be a single value, not a hash", name)


def _is_list(value: JSON) -> bool:
    return all(key.isascii() and key.isdigit() for key in value)


def _map(shape: Shape, value: JSON, name: str) -> JSON:
    """Check a hash with free keys; in metadata an empty value removes its key."""
    if name.split("[")[-1].rstrip("]") != "metadata":
        return {key: _value(shape, item, f"{name}[{key}]") for key, item in value.items()}
    return {key: _metadatum(key, item, f"{name}[{key}]") for key, item in value.items()}


def _metadatum(key: str, value: Any, name: str) -> str | None:
    if not isinstance(value, str):
        raise invalid(f"Metadata values must be strings, not hashes: {name}", name)
    if len(key) > MAX_METADATA_KEY_LENGTH:
        raise invalid(
            f"Metadata keys can have up to {MAX_METADATA_KEY_LENGTH} characters, but you passed"
            f" in a key that is {len(key)} characters. Invalid key: {key}",
            name,
        )
    if len(value) > MAX_METADATA_VALUE_LENGTH:
        raise invalid(
            f"Metadata values can have up to {MAX_METADATA_VALUE_LENGTH} characters, but you"
            f" passed in a value that is {len(value)} characters. Invalid value: {value}",
            name,
        )
    return value or None


def _integer(value: str, name: str) -> int:
    digits = value.removeprefix("-")
    # isdecimal alone would let other scripts' digits through.
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 18:
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def _number(value: str, name: str) -> float:
    try:
        return float(Decimal(value))
    except (ArithmeticError, ValueError):
        raise invalid(f"Invalid decimal: {value}", name) from None


def _text(value: str, name: str) -> str:
    if len(value) > MAX_TEXT_LENGTH:
        raise invalid(
            f"Invalid string: {value[:20]}...; must be at most {MAX_TEXT_LENGTH} characters", name
        )
    return value


def _not_a_choice(shape: Shape, name: str) -> ApiError:
    *first, last = shape.choices
    separator = ", or " if len(first) > 1 else " or "
    options = ", ".join(first) + separator + last if first else last
    return invalid(f"Invalid {name}: must be one of {options}", name)
