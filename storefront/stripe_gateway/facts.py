"""Stripe's JSON, read into our own frozen facts. What cannot be read is refused, not guessed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storefront.db import MAX_WHOLE
from storefront.errors import BadInput, Unprocessable


@dataclass(frozen=True)
class Intent:
    """A payment intent, as far as we look at it. Amounts in minor units; `customer_id` and
    `payment_id` (from our metadata) may be absent on intents that are not ours."""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    customer_id: str | None
    payment_id: str | None
    failure_code: str | None
    failure_message: str | None
    client_secret: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Intent":
        """Read Stripe's JSON. Raises Unprocessable when it is not a usable payment intent."""
        if data.get("object") != "payment_intent":
            raise Unprocessable("The object is not a payment intent.")
        error = _mapping(data.get("last_payment_error"))
        return cls(
            id=_text(data, "id"),
            status=_text(data, "status"),
            amount=_whole(data, "amount"),
            amount_received=_whole(data, "amount_received", 0),
            currency=_text(data, "currency"),
            customer_id=_reference(data.get("customer")),
            payment_id=_short_text(_mapping(data.get("metadata")).get("payment_id")),
            failure_code=_short_text(error.get("decline_code") or error.get("code")),
            failure_message=_short_text(error.get("message")),
            client_secret=_short_text(data.get("client_secret")),
        )


@dataclass(frozen=True)
class Event:
    """A verified snapshot event. `payload` is the JSON text as received, `created` UTC with
    Stripe's resolution of one second (never used to order anything)."""

    id: str
    type: str
    api_version: str | None
    livemode: bool
    created: datetime
    object: Mapping[str, Any]
    payload: str


def parse_event(text: str) -> Event:
    """Raises BadInput for anything but a snapshot event."""
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadInput("The body is not usable JSON.") from None
    if not isinstance(data, dict) or data.get("object") != "event":
        raise BadInput(
            "The body is not a snapshot event. Thin events are not accepted: "
            "let the endpoint send snapshot events."
        )
    return _event_from(data, text)


def _event_from(data: Mapping[str, Any], text: str) -> Event:
    try:
        return Event(
            id=_text(data, "id"),
            type=_text(data, "type"),
            api_version=_short_text(data.get("api_version")),
            livemode=_flag(data["livemode"]),
            created=datetime.fromtimestamp(_whole(data, "created"), UTC),
            object=data["data"]["object"] if isinstance(data["data"]["object"], dict) else {},
            payload=text,
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError, Unprocessable):
        raise BadInput("The event lacks one of id, type, livemode, created, data.object.") from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = _short_text(data.get(key))
    if value is None:
        raise Unprocessable(f"{key} is missing or is not a short text.")
    return value


def _short_text(value: object) -> str | None:
    """Text that may be stored: neither empty, nor endless, nor with NULs (PostgreSQL has none)."""
    if not isinstance(value, str) or not 0 < len(value) <= 5_000 or "\0" in value:
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, legal in JSON, storable nowhere
        return None
    return value


def _whole(data: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = data.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_WHOLE:
        raise Unprocessable(f"{key} is missing or is not a whole number in range.")
    return value


def _reference(value: object) -> str | None:
    """An id, given as itself or as the expanded object."""
    return (
        _short_text(value["id"])
        if isinstance(value, dict) and "id" in value
        else _short_text(value)
    )
