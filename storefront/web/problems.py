"""Errors as answers: application/problem+json (RFC 9457) for JSON callers, a page for people."""

import logging

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from storefront.errors import StorefrontError
from storefront.web.current import settings

PROGRAMS_ONLY = frozenset(
    {
        "payments.create_payment_intent",
        "account.balance",
        "billing.show_checkout",
        "health.readyz",
        "metrics.show",
    }
)
"""Endpoints that only programs call: they get JSON whatever they say they accept."""

UNEXPECTED = "Something went wrong on our side. Nothing was charged twice; try again in a moment."

IN_OUR_WORDS = {
    404: ("Not found", "There is no such page here."),
    405: ("Not possible here", "This address does not take that kind of request."),
}

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    app.register_error_handler(StorefrontError, _storefront_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """True for callers that sent or asked for JSON, for the webhook and programs' endpoints."""
    if request.path == settings().webhook_path or request.mimetype == "application/json":
        return True
    if request.endpoint in PROGRAMS_ONLY:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and (
        request.accept_mimetypes["application/json"] > request.accept_mimetypes["text/html"]
    )


def problem(status: int, code: str, title: str, detail: str) -> Response:
    """The answer for an error, in the caller's language: JSON or a page."""
    if wants_json():
        response = jsonify(type="about:blank", title=title, status=status, detail=detail, code=code)
        response.content_type = "application/problem+json"
    else:
        response = make_response(_page(status, title, detail))
    response.status_code = status
    return response


def _page(status: int, title: str, detail: str) -> str:
    """With the customer's header around it, unless that may be what is broken: a wrong Host has
    no URLs, and a failing database no customers."""
    whole = status < 500 and request.routing_exception.__class__ is not SecurityError
    template = "errors/problem.html" if whole else "errors/bare.html"
    return render_template(template, status=status, title=title, detail=detail)


def _storefront_error(error: StorefrontError) -> Response:
    response = problem(error.status, error.code, error.title, error.detail)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _csrf_error(_error: CSRFError) -> Response:
    detail = "The page was open for too long, or came from elsewhere. Load it again and retry."
    return problem(403, "csrf", "This form has run out", detail)


def _too_large(_error: RequestEntityTooLarge) -> Response:
    return problem(413, "too_large", "Too large", "What was sent is larger than is accepted here.")


def _wrong_host(_error: SecurityError) -> Response:
    """Without repeating the name, which somebody else chose."""
    detail = "This shop does not answer under the name that was asked for."
    return problem(400, "wrong_host", "Wrong address", detail)


def _http_error(error: HTTPException) -> Response:
    code = (error.name or "error").lower().replace(" ", "_")
    status = error.code or 500
    said = UNEXPECTED if status == 500 else error.description or error.name
    title, detail = IN_OUR_WORDS.get(status, (error.name, said))
    response = problem(status, code, title, detail)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return problem(500, "internal_error", "Something went wrong", UNEXPECTED)
