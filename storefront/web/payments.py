"""Payments: opening one for the Payment Element, and the page that says what became of it."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from storefront import card_testing, payments, reversals
from storefront.catalog import Catalog, Pack
from storefront.db import db
from storefront.errors import BadInput, StorefrontError
from storefront.observing import about
from storefront.payments import Payment
from storefront.web import current, money_back, outcomes, pages
from storefront.web.outcomes import Outcome
from storefront.web.problems import wants_json
from storefront.web.security import client_network, hide_referrer

bp = Blueprint("payments", __name__, url_prefix="/payments")

ORDER_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class TopUpOrder:
    """What the browser may choose: a pack, and a name for this one purchase."""

    pack: Pack
    order_key: str | None

    @classmethod
    def from_json(cls, data: Any, catalog: Catalog) -> "TopUpOrder":
        """Raises BadInput; anything else in the body (a price, say) is refused, not ignored."""
        if not isinstance(data, dict):
            raise BadInput('Send a JSON object, such as {"pack": "usd_10"}.')
        unknown = set(data) - {"pack", "amount_usd", "order_key"}
        if unknown or len({"pack", "amount_usd"} & set(data)) != 1:
            raise BadInput('Send either "pack" or "amount_usd", and besides only "order_key".')
        key = data.get("order_key")
        if key is not None and not (isinstance(key, str) and ORDER_KEY.fullmatch(key)):
            raise BadInput('"order_key" must be 16 to 64 letters, digits, - and _.')
        if "pack" in data:
            return cls(catalog.pack(data["pack"]), key)
        return cls(catalog.pack_for_amount(data["amount_usd"]), key)


@bp.post("/create-payment-intent")
@login_required
def create_payment_intent() -> tuple[Response, int]:
    """Open a payment; the amount is the catalogue's, whatever the browser believes."""
    order = TopUpOrder.from_json(_json_body(), current.catalog())
    bar = current.settings().bar_on_dispute
    reversals.refuse_top_up(db.session(), bar, current.user().id)
    per_network = current.settings().payments_per_hour
    card_testing.admit(db.session(), current.user().id, client_network(), per_network)
    opened = payments.open_top_up(current.gateway(), current.user(), order.pack, order.order_key)
    about.bind(payment_id=opened.payment_id)
    return jsonify(vars(opened)), 201


@bp.get("/<payment_id>")
@login_required
def show(payment_id: str) -> ResponseReturnValue:
    """One's own payment. What the URL claims of it (Stripe's return parameters) is ignored, and
    taken off the address at once: the client secret is among it."""
    hide_referrer()
    payment = payments.find(db.session(), payment_id, current.user().id)
    if request.args and not wants_json():
        return redirect(url_for("payments.show", payment_id=payment.id), 303)
    outcome = outcomes.of(payment, asked=_refresh(payment))
    if wants_json():
        return jsonify(_as_json(payment, outcome))
    return render_template(
        "payments/show.html",
        payment=payment,
        outcome=outcome,
        bought=current.catalog().name_of(payment.pack_or_plan),
        money_back=money_back.lines(payment),
    )


def _refresh(payment: Payment) -> bool:
    """Ask Stripe. False when it was not asked, or does not answer: what we know is shown then,
    and the webhook will come. (A purchase was settled by its checkout.)"""
    if payment.kind == "purchase":
        return False
    known = payment.updated_at
    try:
        payments.refresh(current.gateway(), payment)
    except StorefrontError:
        db.session.rollback()
        return False
    return payment.updated_at != known


def _as_json(payment: Payment, outcome: Outcome) -> dict[str, object]:
    return {
        "payment_id": payment.id,
        "status": payment.status,
        "amount": payment.amount_cents,
        "currency": payment.currency,
        "credits": payment.credits,
        "balance": pages.balance(),
        "needs_top_up": pages.needs_top_up(),
        "failure_message": payment.failure_message if payment.failed else None,
        "outcome": vars(outcome),
    }


def _json_body() -> Any:
    if request.mimetype != "application/json":
        raise BadInput("Send JSON, with Content-Type: application/json.")
    try:
        return request.get_json()
    except RecursionError:
        raise BadInput("The JSON is nested too deeply.") from None
