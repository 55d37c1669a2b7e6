"""`/v1/events`: what happened, recorded with the pinned API version and sent to the endpoints."""

from __future__ import annotations

from typing import Any

from stripe._api_version import _ApiVersion
from stripe.params import EventListParams, EventRetrieveParams

from .account import Work
from .call import Call, Endpoint
from .deliveries import plan, undelivered_endpoints
from .errors import JSON, invalid, no_such_reference, not_found
from .ids import new_id
from .lists import as_list, list_page
from .records import Condition, Record, matches, one_of
from .webhook_endpoints import listening

TYPE = "event"
API_VERSION = _ApiVersion.CURRENT
MAX_TYPES = 20
RETAINED_SECONDS = 30 * 24 * 3600

# An event counts as undelivered while any endpoint it was meant for has not answered 2xx.
_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM deliveries WHERE event = objects.id"
    " GROUP BY endpoint HAVING SUM(state = 'delivered') = 0)"
)


def emit(work: Work, type: str, body: JSON, previous: JSON | None = None) -> Record:
    """Record an event about an object as it is now, and plan its delivery."""
    data: JSON = {"object": body}
    if previous is not None:
        data["previous_attributes"] = previous
    endpoints = listening(work.tx, type)
    event: dict[str, Any] = {
        "id": new_id("evt"),
        "object": TYPE,
        "account": None,
        "api_version": API_VERSION,
        "context": None,
        "created": work.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": work.request_id, "idempotency_key": work.idempotency_key},
        "type": type,
    }
    record = work.add(event)
    plan(work, record, endpoints)
    return record


def retrieve(call: Call) -> JSON:
    """Answer one event of the last 30 days."""
    record = call.target(TYPE)
    if _forgotten(call, record):
        raise not_found(TYPE, call.id)
    return shown(call, record)


def list_all(call: Call) -> JSON:
    """List events by type, types, created, delivery_success."""
    params = call.params
    for cursor in ("starting_after", "ending_before"):
        _check_retained(call, cursor)
    conditions = [Condition("created > ?", (call.now - RETAINED_SECONDS,))]
    conditions += _type_conditions(params)
    if "delivery_success" in params:
        wanted = "NOT " if params["delivery_success"] else ""
        conditions.append(Condition(wanted + _UNDELIVERED))
    records, more = list_page(call.tx, TYPE, params, *conditions)
    return as_list([shown(call, record) for record in records], "/v1/events", more)


def shown(call: Call, record: Record) -> JSON:
    """Return an event with the number of endpoints that still have to answer 2xx."""
    return {**record.shown(), "pending_webhooks": undelivered_endpoints(call.tx, record.id)}


def _check_retained(call: Call, cursor: str) -> None:
    """Refuse a cursor that is forgotten by now, like an event that never was."""
    record = call.tx.get(TYPE, call.params.get(cursor, ""))
    if record is not None and _forgotten(call, record):
        raise no_such_reference(TYPE, record.id, cursor)


def _forgotten(call: Call, record: Record) -> bool:
    return record.created <= call.now - RETAINED_SECONDS


def _type_conditions(params: JSON) -> list[Condition]:
    if "type" in params and "types" in params:
        raise invalid("You may pass only one of `type` and `types`.", "types")
    if "types" in params:
        if len(params["types"]) > MAX_TYPES:
            raise invalid(f"You may only specify up to {MAX_TYPES} event types.", "types")
        return [one_of("type", params["types"])]
    return [matches("type", params["type"])] if "type" in params else []


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/events", EventListParams, list_all),
    Endpoint("GET", "/v1/events/<id>", EventRetrieveParams, retrieve),
]
