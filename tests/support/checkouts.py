"""Builders for Checkout: a checkout's row, its session as Stripe's JSON, events about it."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import text

from storefront.checkouts import Checkout
from storefront.db import db, transaction
from tests.support.builders import Customer, Json, a_user, an_event


@dataclass(frozen=True)
class Visit:
    """A checkout's row. `session_id` is Stripe's, whether or not our row knows it yet."""

    id: str
    customer: Customer
    session_id: str
    mode: str = "payment"
    amount: int = 2900
    credits: int = 3000

    @property
    def payment_id(self) -> str:
        return self.id.replace("chk_", "pay_")

    @property
    def intent_id(self) -> str:
        return self.session_id.replace("cs_test_", "pi_")

    @property
    def subscription_id(self) -> str:
        return self.session_id.replace("cs_test_", "sub_")


def a_checkout(
    app: Flask,
    customer: Customer | None = None,
    *,
    linked: bool = True,
    plan: str = "standard_pack",
    interval: str = "one_time",
    amount: int = 2900,
    credits: int = 3000,
    **columns: Any,
) -> Visit:
    """A visit for a one-time plan, or with another interval for a subscription; `linked` False is
    a row that died before it learned its session's id."""
    customer = customer or a_user(app)
    name = uuid.uuid4().hex
    mode = "payment" if interval == "one_time" else "subscription"
    credits = credits if mode == "payment" else 0
    visit = Visit(f"chk_{name}", customer, f"cs_test_{name}", mode, amount, credits)
    given = {"status": "open" if linked else "opened", "currency": "usd"} | columns
    with app.app_context(), transaction() as session:
        session.add(
            Checkout(
                id=visit.id,
                user_id=customer.id,
                plan=plan,
                interval=interval,
                mode=mode,
                stripe_price_id="price_1",
                amount_cents=amount,
                credits=credits,
                stripe_session_id=visit.session_id if linked else None,
                **given,
            )
        )
    return visit


def a_session(
    visit: Visit, status: str = "complete", payment_status: str = "paid", **changes: Any
) -> Json:
    """The visit's session as Stripe would show it."""
    complete = status == "complete"
    return {
        "id": visit.session_id,
        "object": "checkout.session",
        "mode": visit.mode,
        "status": status,
        "payment_status": payment_status if complete else "unpaid",
        "customer": visit.customer.stripe_id,
        "client_reference_id": visit.customer.id,
        "metadata": {"checkout_id": visit.id, "user_id": visit.customer.id},
        "payment_intent": visit.intent_id if complete and visit.mode == "payment" else None,
        "subscription": visit.subscription_id if complete and visit.mode != "payment" else None,
        "invoice": None,
        "amount_subtotal": visit.amount,
        "amount_total": visit.amount,
        "currency": "usd",
        "url": None if complete else f"https://checkout.example/{visit.session_id}",
    } | changes


def completed(visit: Visit, payment_status: str = "paid", **changes: Any) -> Json:
    """A fresh event: the customer has finished; `changes` are of the session."""
    session = a_session(visit, payment_status=payment_status, **changes)
    return an_event(session, "checkout.session.completed")


def paid_late(visit: Visit, **changes: Any) -> Json:
    return an_event(a_session(visit, **changes), "checkout.session.async_payment_succeeded")


def failed_late(visit: Visit, **changes: Any) -> Json:
    session = a_session(visit, payment_status="unpaid", **changes)
    return an_event(session, "checkout.session.async_payment_failed")


def expired(visit: Visit, **changes: Any) -> Json:
    return an_event(a_session(visit, "expired", **changes), "checkout.session.expired")


def rows(app: Flask, table: str, key: str = "id") -> dict[str, dict[str, Any]]:
    """A whole table as it is stored, by its key."""
    with app.app_context():
        found = db.session.execute(text(f"SELECT * FROM {table}"))
        return {row[key]: dict(row) for row in found.mappings()}


def row_of(app: Flask, visit: Visit) -> dict[str, Any]:
    return rows(app, "checkouts")[visit.id]
