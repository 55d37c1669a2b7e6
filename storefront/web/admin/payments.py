"""Payments: the list, and one payment's whole story."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from storefront.admin import filters
from storefront.admin import payments as reading
from storefront.admin.paging import Listing
from storefront.db import db
from storefront.payments import Payment
from storefront.web.admin import lists
from storefront.web.admin.blueprint import bp

HEADER = (
    "id", "created_at", "customer", "kind", "what", "status", "amount", "currency", "credits",
    "received", "refunded", "disputed", "payment_intent",
)  # fmt: skip


@bp.get("/payments")
def payments() -> ResponseReturnValue:
    return lists.show(
        "admin/payments.html",
        _listed,
        csv_endpoint="admin.payments_csv",
        statuses=reading.STATUSES,
        kinds=reading.KINDS,
    )


@bp.get("/payments.csv")
def payments_csv() -> Response:
    return lists.export("payments", HEADER, _listed(), _row)


@bp.get("/payments/<payment_id>")
def payment(payment_id: str) -> str:
    story = reading.story(db.session(), payment_id)
    return render_template("admin/payment.html", story=story, payment=story.payment)


def _listed() -> Listing[tuple[Payment, str]]:
    sent = request.args
    conditions: list[ColumnElement[bool]] = []
    status = filters.choice("State", sent.get("status"), reading.STATUSES)
    kind = filters.choice("Kind", sent.get("kind"), reading.KINDS)
    amount = filters.amount(sent.get("amount"), Payment.amount_cents, Payment.currency)
    if status:
        conditions.append(Payment.status == status)
    if kind:
        conditions.append(Payment.kind == kind)
    if amount is not None:
        conditions.append(amount)
    first, last = filters.since(sent.get("from")), filters.until(sent.get("to"))
    return reading.listed(*conditions, *filters.between(Payment.created_at, first, last))


def _row(row: tuple[Payment, str]) -> tuple[lists.Cell, ...]:
    """Amounts in minor units, as the books have them."""
    it, email = row
    return (
        it.id, it.created_at, email, it.kind, it.pack_or_plan, it.status, it.amount_cents,
        it.currency, it.credits, it.amount_received, it.amount_refunded, it.amount_disputed,
        it.stripe_intent_id,
    )  # fmt: skip
