"""Each request is one line of the log and one count, whoever answered it: a view, an error page,
one of our files. Its id goes through everything that it causes here, and back to the caller."""

import logging
import re
import secrets
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from storefront.config import Config
from storefront.observing import about, counting
from storefront.observing.lines import with_facts
from storefront.observing.serving import has_token

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)
"""What a caller may name a request: any UUID or trace id, nothing that forges a line."""

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told at debug level."""

ROUTE = "storefront.route"
log = logging.getLogger(__name__)


def register(app: Flask, settings: Config) -> None:
    """Put it around everything else. Call it last."""
    app.before_request_funcs.setdefault(None, []).insert(0, _note_route)
    app.wsgi_app = Observed(app.wsgi_app, settings)  # type: ignore[method-assign]


class Observed:
    """The application, watched. What is measured is the time until the answer begins."""

    def __init__(self, app: "WSGIApplication", settings: Config) -> None:
        self._app, self._settings = app, settings

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request_id = _request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        statuses: list[str] = []

        def started(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            statuses.append(status[:3])
            return start_response(status, [*headers, ("X-Request-ID", request_id)], *exc_info)

        self._let_prometheus_in(environ)
        begun = perf_counter()
        with about.scope(request_id=request_id):
            try:
                return self._app(environ, started)
            finally:
                _tell(environ, statuses[-1] if statuses else "500", perf_counter() - begun)

    def _let_prometheus_in(self, environ: "WSGIEnvironment") -> None:
        """It asks each machine by its own name, which is not the shop's; the token is proof
        enough."""
        if environ.get("PATH_INFO") == "/metrics" and has_token(
            self._settings.metrics_token, environ.get("HTTP_AUTHORIZATION")
        ):
            environ["HTTP_HOST"] = self._settings.host


def _request_id(given: str) -> str:
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def _note_route() -> None:
    """For the line and the counts; and what the route says the request is about."""
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule
    if request.view_args and "payment_id" in request.view_args:
        about.bind(payment_id=request.view_args["payment_id"])


def _tell(environ: "WSGIEnvironment", status: str, seconds: float) -> None:
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    route = environ.get(ROUTE) or ("static" if path.startswith("/static/") else "unmatched")
    counting.request(method, route, status, seconds)
    log.log(
        logging.DEBUG if path in PROBES else logging.INFO,
        "request",
        extra=with_facts(
            method=method,
            path=path,
            status=int(status),
            ms=round(seconds * 1000, 1),
            client=environ.get("REMOTE_ADDR"),
        ),
    )
