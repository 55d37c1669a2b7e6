"""Subscriptions and invoices as rows, as a sync would have stored them."""

import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from storefront.db import transaction
from storefront.ids import new_id
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from tests.support.builders import Customer

FIRST = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
NEXT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def a_subscription(app: Flask, customer: Customer, **columns: Any) -> str:
    """A month of Premium; our id."""
    row: dict[str, Any] = {
        "id": new_id("sub"),
        "user_id": customer.id,
        "stripe_subscription_id": f"sub_{uuid.uuid4().hex[:16]}",
        "stripe_item_id": "si_1",
        "stripe_price_id": "price_1",
        "stripe_product_id": "prod_1",
        "plan": "premium_plan",
        "interval": "monthly",
        "status": "active",
        "current_period_start": FIRST,
        "current_period_end": NEXT,
        "started_at": FIRST,
    } | columns
    with app.app_context(), transaction() as session:
        session.add(Subscription(**row))
    id: str = row["id"]
    return id


def an_invoice(app: Flask, customer: Customer, **columns: Any) -> str:
    """A paid invoice of a month of Premium; its id."""
    row: dict[str, Any] = {
        "id": f"in_{uuid.uuid4().hex[:16]}",
        "user_id": customer.id,
        "stripe_subscription_id": "sub_of_nobody",
        "status": "paid",
        "description": "Premium, monthly",
        "currency": "usd",
        "total": 4900,
        "amount_due": 4900,
        "amount_paid": 4900,
        "created_at": FIRST,
        "paid_at": FIRST,
    } | columns
    with app.app_context(), transaction() as session:
        session.add(Invoice(**row))
    id: str = row["id"]
    return id


def a_plan_credit(app: Flask, customer: Customer, invoice_id: str, **columns: Any) -> None:
    """What a paid line of an invoice has brought."""
    row: dict[str, Any] = {
        "id": f"il_{uuid.uuid4().hex[:16]}",
        "invoice_id": invoice_id,
        "user_id": customer.id,
        "stripe_subscription_id": "sub_of_nobody",
        "plan": "premium_plan",
        "interval": "monthly",
        "whole_start": FIRST,
        "period_start": FIRST,
        "period_end": NEXT,
        "credits": 5000,
        "credits_expire": "period_end",
        "done": 1,
        "earned": 5000,
        "granted": 5000,
    } | columns
    with app.app_context(), transaction() as session:
        session.add(PlanCredit(**row))
