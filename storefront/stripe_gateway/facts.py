"""Stripe's JSON, read into our own frozen facts. What cannot be read is refused, not guessed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storefront.errors import BadInput, Unprocessable
from storefront.stripe_gateway.reading import mapping, reference, short_text, text, whole


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
        error = mapping(data.get("last_payment_error"))
        return cls(
            id=text(data, "id"),
            status=text(data, "status"),
            amount=whole(data, "amount"),
            amount_received=whole(data, "amount_received", 0),
            currency=text(data, "currency"),
            customer_id=reference(data.get("customer")),
            payment_id=short_text(mapping(data.get("metadata")).get("payment_id")),
            failure_code=short_text(error.get("decline_code") or error.get("code")),
            failure_message=short_text(error.get("message")),
            client_secret=short_text(data.get("client_secret")),
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


def parse_event(body: str) -> Event:
    """Raises BadInput for anything but a snapshot event."""
    try:
        data = _strict_json(body)
    except (ValueError, RecursionError):
        raise BadInput("The body is not usable JSON.") from None
    if not isinstance(data, dict) or data.get("object") != "event":
        raise BadInput(
            "The body is not a snapshot event. Thin events are not accepted: "
            "let the endpoint send snapshot events."
        )
    return _event_from(data, body)


def _event_from(data: Mapping[str, Any], body: str) -> Event:
    try:
        return Event(
            id=text(data, "id"),
            type=text(data, "type"),
            api_version=short_text(data.get("api_version")),
            livemode=_flag(data["livemode"]),
            created=datetime.fromtimestamp(whole(data, "created"), UTC),
            object=data["data"]["object"] if isinstance(data["data"]["object"], dict) else {},
            payload=body,
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError, Unprocessable):
        raise BadInput("The event lacks one of id, type, livemode, created, data.object.") from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_strict_json = json.JSONDecoder(parse_constant=_refuse_constant).decode
