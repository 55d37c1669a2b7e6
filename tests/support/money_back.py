"""Builders for money that flows back: refunds, disputes and warnings as Stripe's JSON, events about
them, and reading what became of it."""

import time
import uuid
from typing import Any

from flask import Flask
from sqlalchemy import text

from storefront.db import db
from storefront.handlers import handle
from storefront.inbox import Outcome
from tests.support import books
from tests.support.books import Row
from tests.support.builders import (
    Customer,
    Json,
    Purchase,
    a_payment,
    an_event,
    event_of,
    paid,
)


def a_paid_top_up(app: Flask, customer: Customer | None = None, **columns: Any) -> Purchase:
    """A payment that was credited by its event: 1,000 credits for $10.00 unless told otherwise."""
    purchase = a_payment(app, customer, **columns)
    hears(app, paid(purchase))
    return purchase


def hears(app: Flask, *events: Json) -> list[str]:
    """Handle verified events, one after the other; the state of each."""
    with app.app_context():
        outcomes: list[Outcome] = [handle(event_of(app, event)) for event in events]
    return [outcome.state for outcome in outcomes]


def a_refund(
    of: Purchase | str, amount: int = 1000, status: str = "succeeded", **changes: Any
) -> Json:
    """A refund of a purchase, or of a payment intent."""
    intent, customer = _of(of)
    return {
        "id": f"re_{uuid.uuid4().hex[:16]}",
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{intent}",
        "created": int(time.time()),
        "currency": "usd",
        "customer": customer,
        "failure_reason": "lost_or_stolen_card" if status == "failed" else None,
        "metadata": {},
        "payment_intent": intent,
        "reason": "requested_by_customer",
        "status": status,
    } | changes


def refunded(refund: Json, status: str | None = None) -> Json:
    """An event about a refund that is, or has got, in this status."""
    now = refund | {"status": status or refund["status"]}
    kinds = {"failed": "refund.failed", None: "refund.created"}
    return an_event(now, kinds.get(status, "refund.updated"))


def a_dispute(
    of: Purchase | str, amount: int = 1000, status: str = "needs_response", **changes: Any
) -> Json:
    """A dispute of a purchase, or of a payment intent."""
    intent, _ = _of(of)
    return {
        "id": f"du_{uuid.uuid4().hex[:16]}",
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": f"ch_{intent}",
        "created": int(time.time()),
        "currency": "usd",
        "evidence_details": {"due_by": int(time.time()) + 86_400},
        "payment_intent": intent,
        "reason": "fraudulent",
        "status": status,
    } | changes


def disputed(dispute: Json, what: str, **changes: Any) -> Json:
    """An event about a dispute: created, updated, closed, funds_withdrawn, funds_reinstated."""
    return an_event(dispute | changes, f"charge.dispute.{what}")


def moved_money(*amounts: int, currency: str = "usd") -> list[Json]:
    """A dispute's balance transactions."""
    return [{"amount": each, "currency": currency, "fee": 1500, "net": each} for each in amounts]


def a_warning(of: Purchase | str, **changes: Any) -> Json:
    """An early fraud warning about a purchase."""
    intent, _ = _of(of)
    return {
        "id": f"issfr_{uuid.uuid4().hex[:16]}",
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": f"ch_{intent}",
        "created": int(time.time()),
        "fraud_type": "made_with_stolen_card",
        "payment_intent": intent,
    } | changes


def a_refunded_charge(of: Purchase | str, amount_refunded: int) -> Json:
    """The event that Stripe sends with every refund."""
    intent, customer = _of(of)
    charge = {
        "id": f"ch_{intent}",
        "object": "charge",
        "amount_refunded": amount_refunded,
        "customer": customer,
        "payment_intent": intent,
    }
    return an_event(charge, "charge.refunded")


def rows(app: Flask, table: str) -> dict[str, Row]:
    """All rows of a table of reversals, by Stripe's id."""
    with app.app_context():
        found = db.session.execute(text(f"SELECT * FROM {table}")).mappings()
        return {row["id"]: dict(row) for row in found}


def moved_by(app: Flask, user_id: str) -> list[tuple[str, int]]:
    """What reversals moved in a wallet: (code, credits), in order, minus for what was taken."""
    mine = books.read(app).transfers_of(user_id)
    codes = ("refund", "refund_reversed", "dispute", "dispute_reversed")
    return [
        (row["code"], row["credits"] if row["target"] == row["wallet"] else -row["credits"])
        for row in mine
        if row["code"] in codes
    ]


def _of(of: Purchase | str) -> tuple[str, str | None]:
    return (of, None) if isinstance(of, str) else (of.intent_id, of.customer.stripe_id)
