"""The `/v1` API over HTTP: keys, faults, idempotency, parameters, one handler, Stripe's answer."""

from __future__ import annotations

import functools
import json
import logging
import socket
import time
from dataclasses import dataclass

from flask import Flask, Request, Response, request
from stripe._api_version import _ApiVersion

from . import idempotency
from .account import Account, Work
from .auth import authenticate, is_publishable, refuse_publishable
from .call import Call, Endpoint
from .errors import JSON, ApiError, invalid
from .expand import expand
from .faults import Fault
from .form import decode
from .idempotency import Answer
from .ids import new_id
from .nouns import ENDPOINTS
from .older_versions import translated
from .params import check, fields_of

FORM = "application/x-www-form-urlencoded"
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]
_log = logging.getLogger("fakestripe")

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Request-Id, Stripe-Manage-Version",
    "Access-Control-Max-Age": "300",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, Stripe-Account, Stripe-Version"
    ),
}


class DroppedError(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Incoming:
    """One request on its way through the pipeline."""

    account: Account
    request: Request
    endpoint: Endpoint | None
    object_id: str
    request_id: str
    faults: list[Fault]

    def fault(self, kind: str, after: bool = False) -> Fault | None:
        """Return the drawn fault of a kind that applies before or after the execution."""
        return next((f for f in self.faults if f.kind == kind and f.after == after), None)

    def error_body(self, error: ApiError) -> str:
        """Return Stripe's error object as text."""
        log = f"https://dashboard.stripe.com/{self.account.id}/test/workbench/logs"
        return json.dumps(error.to_dict(f"{log}?object={self.request_id}"), indent=2)


def register(app: Flask, account: Account) -> None:
    """Add every endpoint of the API, and Stripe's answer for all other URLs below `/v1`."""
    for endpoint in ENDPOINTS:
        view = functools.partial(_serve, account, endpoint)
        name = f"{endpoint.method} {endpoint.path}".replace(".", "_")
        app.add_url_rule(
            endpoint.path, name, view, methods=[endpoint.method], provide_automatic_options=False
        )
    unknown = functools.partial(_serve, account, None)
    for rule in ("/v1", "/v1/<path:id>"):
        app.add_url_rule(
            rule, f"unknown {rule}", unknown, methods=METHODS, provide_automatic_options=False
        )
        app.add_url_rule(
            rule,
            f"preflight {rule}",
            _preflight,
            methods=["OPTIONS"],
            provide_automatic_options=False,
        )


def _preflight(id: str = "") -> Response:
    return Response(status=200, headers={**_CORS, **_PREFLIGHT})


def _serve(account: Account, endpoint: Endpoint | None, id: str = "") -> Response:
    """Answer one request; whatever goes wrong becomes Stripe's error object."""
    incoming = Incoming(account, request, endpoint, id, new_id("req"), [])
    headers: dict[str, str] = {}
    try:
        answer = _answer(incoming)
        if answer.request_id != incoming.request_id:
            headers = {"Idempotent-Replayed": "true", "Original-Request": answer.request_id}
    except DroppedError:
        return _drop_connection(request)
    except ApiError as error:
        answer = _refusal(incoming, error)
        if error.should_retry is not None:
            headers["Stripe-Should-Retry"] = "true" if error.should_retry else "false"
    return _response(incoming, answer, headers)


def _answer(incoming: Incoming) -> Answer:
    account, request = incoming.account, incoming.request
    with account.store.reading() as tx:
        key = authenticate(request.headers, tx)
    endpoint = incoming.endpoint
    if endpoint is None:
        raise _unrecognized(request)
    if is_publishable(key) and not endpoint.publishable:
        raise refuse_publishable()
    incoming.faults = account.faults.draw(request.method, request.path)
    _limit(incoming)
    given = _given(request)
    if request.method != "POST":
        return _run(incoming, endpoint, key, given, None)
    idempotency_key = idempotency.checked_key(request.headers.get("Idempotency-Key"))
    with idempotency.claimed(account.keys_in_progress, idempotency_key):
        return _run(incoming, endpoint, key, given, idempotency_key)


def _run(
    incoming: Incoming, endpoint: Endpoint, key: str, given: JSON, idempotency_key: str | None
) -> Answer:
    _trouble_before(incoming)
    account = incoming.account
    if idempotency_key is not None:
        with account.store.reading() as tx:
            stored = idempotency.remembered(tx, idempotency_key, incoming.request.path, given)
        if stored is not None:
            return stored
    fields = fields_of(endpoint.params)
    if is_publishable(key):
        fields = fields.plus(dict(endpoint.browser_params))
    params = check(fields, translated(given, fields, incoming.request.headers))
    opened = account.store.reading if incoming.request.method == "GET" else account.store.writing
    with opened() as tx:
        work = Work(account, tx, incoming.request_id, idempotency_key)
        call = Call(work, params, incoming.object_id, is_publishable(key))
        answer = _execute(incoming, endpoint, call)
        if idempotency_key is not None:
            path, now = incoming.request.path, account.clock.time()
            idempotency.remember(tx, idempotency_key, path, given, answer, now)
    if incoming.fault("drop_after"):
        raise DroppedError
    return _trouble_after(incoming, answer)


def _execute(incoming: Incoming, endpoint: Endpoint, call: Call) -> Answer:
    """Run the handler; a refusal after it began keeps its effects and is an answer."""
    broken = incoming.fault("status")
    if broken is not None and broken.status == 500:
        return _refusal(incoming, _server_error(broken))
    paths = call.params.pop("expand", None) or []
    try:
        body = expand(call.tx, endpoint.handler(call), paths)
    except ApiError as error:
        if not error.executed:
            raise
        return _refusal(incoming, error)
    answer = Answer(incoming.request_id, 200, json.dumps(body, indent=2))
    broken = incoming.fault("status", after=True)
    if broken is not None and broken.status == 500:
        return _refusal(incoming, _server_error(broken))
    return answer


def _limit(incoming: Incoming) -> None:
    fault = incoming.fault("rate_limit")
    if fault is None:
        return
    # Stripe asks for a retry after a lock time-out, and leaves plain rate limits to the caller.
    code = "lock_timeout" if fault.should_retry else "rate_limit"
    message = (
        "This object cannot be accessed right now because another API request or Stripe process"
        " is currently accessing it."
        if fault.should_retry
        else "Request rate limit exceeded. Learn more about rate limits here"
        " https://stripe.com/docs/rate-limits."
    )
    raise ApiError(429, message, code=code, should_retry=fault.should_retry)


def _trouble_before(incoming: Incoming) -> None:
    latency = incoming.fault("latency")
    if latency is not None:
        time.sleep(latency.latency_ms / 1000)
    if incoming.fault("drop"):
        raise DroppedError
    broken = incoming.fault("status")
    if broken is not None and broken.status != 500:
        raise _server_error(broken)


def _trouble_after(incoming: Incoming, answer: Answer) -> Answer:
    broken = incoming.fault("status", after=True)
    if broken is not None and broken.status != 500:
        raise _server_error(broken)
    return answer


def _server_error(fault: Fault) -> ApiError:
    message = "An unknown error occurred (a fault that was switched on in fakestripe)."
    return ApiError(fault.status, message, type="api_error", should_retry=fault.should_retry)


def _given(request: Request) -> JSON:
    query = request.query_string.decode("ascii", "replace")
    if request.method != "POST":
        return decode(query)
    body = request.get_data(cache=False)
    if body and request.mimetype != FORM:
        raise invalid(
            "Invalid request (check that your POST content type is"
            f" {FORM}). If you have any questions, we can help at https://support.stripe.com/."
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("Invalid request (the body is not UTF-8).") from None
    return decode("&".join(part for part in (query, text) if part))


def _unrecognized(request: Request) -> ApiError:
    return ApiError(
        404,
        f"Unrecognized request URL ({request.method}: {request.path}). If you are trying to list"
        " objects, remove the trailing slash. If you are trying to retrieve an object, make sure"
        " you passed a valid (non-empty) identifier in your code. Please see"
        " https://stripe.com/docs or we can help at https://support.stripe.com/.",
    )


def _refusal(incoming: Incoming, error: ApiError) -> Answer:
    return Answer(incoming.request_id, error.status, incoming.error_body(error))


def _response(incoming: Incoming, answer: Answer, headers: dict[str, str]) -> Response:
    response = Response(answer.body, status=answer.status, content_type="application/json")
    response.headers.extend(_CORS)
    response.headers["Request-Id"] = incoming.request_id
    response.headers["Stripe-Version"] = _ApiVersion.CURRENT
    response.headers["Cache-Control"] = "no-cache, no-store"
    key = incoming.request.headers.get("Idempotency-Key")
    if key and incoming.request.method == "POST":
        response.headers["Idempotency-Key"] = key
    response.headers.extend(headers)
    return response


def _drop_connection(request: Request) -> Response:
    """Close the client's socket; the answer that Flask then tries to write goes nowhere."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("the client had closed the connection already")
    return Response(status=500)


def unexpected(account: Account, error: Exception) -> Response:
    """Answer a fault of the stand-in itself as Stripe's api_error; the log tells the rest."""
    _log.error("unexpected error", exc_info=error)
    body = ApiError(500, f"fakestripe failed: {type(error).__name__}", type="api_error")
    return Response(json.dumps(body.to_dict(account.url)), 500, content_type="application/json")
