"""`/v1/webhook_endpoints`: where events are sent, which, and with what secret they are signed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from stripe.params import (
    WebhookEndpointCreateParams,
    WebhookEndpointDeleteParams,
    WebhookEndpointListParams,
    WebhookEndpointRetrieveParams,
    WebhookEndpointUpdateParams,
)

from .account import Work
from .call import Call, Endpoint, updated
from .errors import JSON, ApiError, invalid
from .ids import new_id
from .lists import list_object
from .records import Record, equals
from .store import Transaction

TYPE = "webhook_endpoint"
MAX_ENDPOINTS = 16  # Stripe's limit per account
# Stripe documents "multiple days in a row" without an answer of 2xx; the number is ours.
DISABLED_AFTER_SECONDS = 7 * 24 * 3600


def new_body(id: str, url: str, enabled_events: list[str], created: int) -> JSON:
    """Return a webhook endpoint with every field of the resource but its secret."""
    return {
        "id": id,
        "object": TYPE,
        "api_version": None,
        "application": None,
        "created": created,
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }


def create(call: Call) -> JSON:
    """Register an endpoint; its secret is in this answer and in no later one."""
    params = call.params
    if len(call.tx.records.all(TYPE)) >= MAX_ENDPOINTS:
        raise invalid("You have reached the maximum of 16 test webhook endpoints.")
    _check_url(params["url"])
    _check_events(params["enabled_events"])
    body = new_body(new_id("we"), params["url"], params["enabled_events"], call.now)
    body["api_version"] = params.get("api_version")
    body["description"] = params.get("description")
    body["metadata"] = updated({}, params.get("metadata"))
    secret = new_id("whsec")
    record = call.work.add(body, {"secrets": [{"secret": secret, "expires": None}]})
    return {**record.shown(), "secret": secret}


def retrieve(call: Call) -> JSON:
    """Answer one endpoint, without its secret."""
    return call.target(TYPE, TYPE).shown()


def update(call: Call) -> JSON:
    """Change the URL, the events, the description, or switch the endpoint off and on."""
    record, params = call.target(TYPE, TYPE), call.params
    if "url" in params:
        _check_url(params["url"])
    if "enabled_events" in params:
        _check_events(params["enabled_events"])
    for name in ("url", "enabled_events", "description"):
        if name in params:
            record.body[name] = params[name]
    if "disabled" in params:
        switch(record, on=not params["disabled"])
    if "metadata" in params:
        record.body["metadata"] = updated(record.body["metadata"], params["metadata"])
    call.work.save(record)
    return record.shown()


def delete(call: Call) -> JSON:
    """Remove an endpoint; what was not delivered yet never will be."""
    record = call.target(TYPE, TYPE)
    record.deleted = True
    call.work.save(record)
    call.tx.execute(
        "UPDATE deliveries SET state = 'failed'"
        " WHERE endpoint = ? AND state IN ('pending', 'held')",
        (record.id,),
    )
    return record.shown()


def list_all(call: Call) -> JSON:
    """List the endpoints."""
    return list_object(call.tx, TYPE, "/v1/webhook_endpoints", call.params)


def listening(tx: Transaction, event_type: str) -> list[Record]:
    """Return the enabled endpoints that want this event, oldest first."""
    endpoints = reversed(tx.records.all(TYPE, equals("status", "enabled")))
    return [e for e in endpoints if wants(e, event_type)]


def wants(endpoint: Record, event_type: str) -> bool:
    """Tell whether an endpoint has asked for this type of event."""
    return any(fnmatchcase(event_type, name) for name in endpoint.body["enabled_events"])


def switch(endpoint: Record, *, on: bool) -> None:
    """Enable or disable an endpoint. What happens while none is enabled is never sent."""
    endpoint.body["status"] = "enabled" if on else "disabled"
    endpoint.private["failing_since"] = None


def note_answer(tx: Transaction, id: str, at: float, *, succeeded: bool) -> None:
    """Remember since when an endpoint has not answered 2xx; disable it after days of that."""
    endpoint = tx.get(TYPE, id)
    if endpoint is None or endpoint.body["status"] == "disabled":
        return
    since = endpoint.private.get("failing_since")
    if succeeded and since is None:
        return
    if succeeded:
        endpoint.private["failing_since"] = None
    elif since is None:
        endpoint.private["failing_since"] = at
    elif at - since >= DISABLED_AFTER_SECONDS:
        switch(endpoint, on=False)
    tx.records.save(endpoint)


def signing_secrets(endpoint: Record, real_now: float) -> list[str]:
    """Return the secrets in force, newest first; a rolled one stays until it expires."""
    secrets = endpoint.private["secrets"]
    return [s["secret"] for s in secrets if s["expires"] is None or s["expires"] > real_now]


def roll_secret(work: Work, endpoint: Record, real_now: float, keep_seconds: float) -> str:
    """Give the endpoint a new secret; the old one still signs for `keep_seconds` (≤ 24 h)."""
    end = real_now + keep_seconds
    for old in endpoint.private["secrets"]:
        old["expires"] = end if old["expires"] is None else min(old["expires"], end)
    secret = new_id("whsec")
    endpoint.private["secrets"].insert(0, {"secret": secret, "expires": None})
    work.save(endpoint)
    return secret


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ApiError(
            400,
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )


def _check_events(names: list[str]) -> None:
    if "*" in names and len(names) > 1:
        raise invalid("You may not specify `*` along with other events.", "enabled_events")


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/webhook_endpoints", WebhookEndpointCreateParams, create),
    Endpoint("GET", "/v1/webhook_endpoints", WebhookEndpointListParams, list_all),
    Endpoint("GET", "/v1/webhook_endpoints/<id>", WebhookEndpointRetrieveParams, retrieve),
    Endpoint("POST", "/v1/webhook_endpoints/<id>", WebhookEndpointUpdateParams, update),
    Endpoint("DELETE", "/v1/webhook_endpoints/<id>", WebhookEndpointDeleteParams, delete),
]
