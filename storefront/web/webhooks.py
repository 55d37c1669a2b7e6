"""Stripe's webhook: verify the raw bytes, handle, answer. Nothing else, and never slow."""

from flask import Blueprint, Response, request

from storefront import handlers
from storefront.web.current import gateway

MAXIMUM_EVENT_BYTES = 512 * 1024
RECEIVED = b'{"received":true}\n'
FAILED = b'{"received":false,"state":"failed"}\n'

bp = Blueprint("webhooks", __name__)


@bp.before_request
def _limit_body() -> None:
    request.max_content_length = MAXIMUM_EVENT_BYTES


def receive() -> Response:
    """POST STRIPE_WEBHOOK_PATH. 2xx only when the effect, or the reason why there is none, is
    committed; a 5xx asks Stripe to send the event again."""
    body = request.get_data(cache=False)
    event = gateway().verify_event(body, request.headers.get("Stripe-Signature"))
    outcome = handlers.handle(event)
    if outcome.state == "failed":
        return Response(FAILED, 500, mimetype="application/json")
    return Response(RECEIVED, mimetype="application/json")
