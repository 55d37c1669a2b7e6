"""The 3-D Secure challenge: the page of a pretended bank, embedded by Stripe.js or on its own.

Embedded, its script posts to /_3ds/<id>/complete or /fail. On its own (``redirect_to_url``) the
form comes back here and the customer is sent to the return_url, as Stripe does.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ..account import current_account
from ..errors import ApiError
from ..intent_settlement import authenticate
from .headers import protect
from .intents import find_intent
from .money import money

bp = Blueprint("browser_challenge", __name__, template_folder="templates")

OUTCOMES = ("complete", "fail")


@bp.get("/_3ds/<intent_id>")
def show(intent_id: str) -> Response:
    intent = find_intent(intent_id, request.args.get("client_secret", ""))
    page = render_template(
        "fakestripe/challenge.html",
        intent=intent,
        amount=money(intent["amount"], intent["currency"]) if intent else "",
        waiting=intent is not None and intent["status"] == "requires_action",
        return_url=_return_url(intent) if intent else None,
        embedded="embedded" in request.args,
    )
    response = make_response(page, 200 if intent else 404)
    response.headers["Cache-Control"] = "no-store"
    return protect(response, frame_ancestors=None, form_action=_form_action(intent))


@bp.post("/_3ds/<intent_id>")
def answer(intent_id: str) -> BaseResponse:
    secret = request.form.get("client_secret", "")
    outcome = request.form.get("outcome", "")
    before = find_intent(intent_id, secret)
    if before is None or outcome not in OUTCOMES:
        return protect(make_response("No such challenge.\n", 404))
    back = _return_url(before)  # gone from the intent once it is answered
    try:
        after = authenticate(current_account(), intent_id, secret, outcome)
    except ApiError:  # answered already, in another tab: the page says how it stands
        back = None
    if back is None:
        return redirect(f"/_3ds/{intent_id}?{urlencode({'client_secret': secret})}", 303)
    response = redirect(_with_result(back, after), 303)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _return_url(intent: dict[str, Any]) -> str | None:
    action = intent.get("next_action") or {}
    url = (action.get("redirect_to_url") or {}).get("return_url")
    return url if isinstance(url, str) else None


def _form_action(intent: dict[str, Any] | None) -> str:
    """Chromium applies form-action to the redirect as well, so the shop's origin is allowed."""
    back = urlsplit(_return_url(intent) or "") if intent else urlsplit("")
    if back.scheme in ("http", "https") and back.netloc:
        return f"'self' {back.scheme}://{back.netloc}"
    return "'self'"


def _with_result(return_url: str, intent: dict[str, Any]) -> str:
    """Append what Stripe appends: payment_intent, its client secret and redirect_status."""
    parts = urlsplit(return_url)
    failed = intent["status"] in ("requires_payment_method", "canceled")
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("payment_intent", intent["id"]),
        ("payment_intent_client_secret", intent["client_secret"]),
        ("redirect_status", "failed" if failed else "succeeded"),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))
