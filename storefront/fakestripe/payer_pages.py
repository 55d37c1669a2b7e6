"""What the payer's browser calls besides the API: the end of a 3-D Secure challenge, receipts."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, jsonify, request

from .account import current_account
from .currencies import shown
from .errors import ApiError
from .intent_settlement import authenticate

bp = Blueprint("fakestripe_payer", __name__)


def register(app: Flask) -> None:
    """Add these pages to the app."""
    app.register_blueprint(bp)


@bp.post("/_3ds/<id>/<any(complete, fail):outcome>")
def finish_challenge(id: str, outcome: str) -> tuple[Response, int]:
    """End the challenge of an intent; the form field `client_secret` is the right to do so."""
    account = current_account()
    try:
        body = authenticate(account, id, request.form.get("client_secret", ""), outcome)
    except ApiError as error:
        return jsonify(error.to_dict(account.url)), error.status
    return jsonify(body), 200


@bp.get("/receipts/<id>/<token>")
def receipt(id: str, token: str) -> Response:
    """Show a charge's receipt as plain text; the token in the link is the right to see it."""
    with current_account().store.reading() as tx:
        charge = tx.get("charge", id)
    if charge is None or charge.private.get("receipt") != token or not charge.body["captured"]:
        abort(404)
    amount = shown(charge.body["amount_captured"], charge.body["currency"])
    text = (
        "Receipt (fakestripe, a stand-in for Stripe: no money moved)\n\n"
        f"Amount paid: {amount}\nCharge:      {charge.id}\n"
        f"Payment:     {charge.body['payment_intent']}\n"
    )
    return Response(text, content_type="text/plain; charset=utf-8")
