"""Builders of what Billing shows, as rows: subscriptions, invoices, known prices."""

import uuid
from datetime import timedelta
from typing import Any

from flask import Flask

from storefront.db import transaction, utcnow
from storefront.prices import StripePrice
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from tests.support.builders import Customer

MONTH = timedelta(days=30)


def known_prices(app: Flask) -> dict[tuple[str, str], str]:
    """Every price of the catalogue as Stripe would have it; their ids."""
    found = {}
    with app.app_context(), transaction() as session:
        for plan in app.extensions["catalog"].plans:
            for price in plan.prices:
                id = f"price_{price.lookup_key}"
                found[plan.code, str(price.interval)] = id
                session.add(
                    StripePrice(
                        id=id,
                        product_id=f"prod_{plan.code}",
                        plan=plan.code,
                        interval=price.interval,
                        amount=price.amount,
                        currency=price.currency,
                        current=True,
                    )
                )
    return found


def a_subscription(
    app: Flask,
    customer: Customer,
    status: str = "active",
    *,
    plan: str = "premium_plan",
    interval: str = "monthly",
    **columns: Any,
) -> str:
    """A subscription ten days into its period; its id at Stripe."""
    start = utcnow() - timedelta(days=10)
    id = f"sub_{uuid.uuid4().hex[:16]}"
    given = {
        "id": f"s_{uuid.uuid4().hex}",
        "user_id": customer.id,
        "stripe_subscription_id": id,
        "stripe_item_id": f"si_{uuid.uuid4().hex[:16]}",
        "stripe_price_id": f"price_{plan}_{interval}",
        "stripe_product_id": f"prod_{plan}",
        "plan": plan,
        "interval": interval,
        "status": status,
        "current_period_start": start,
        "current_period_end": start + MONTH,
        "started_at": start,
    }
    with app.app_context(), transaction() as session:
        session.add(Subscription(**(given | columns)))
    return id


def an_invoice(
    app: Flask, customer: Customer, status: str = "paid", *, amount: int = 4900, **columns: Any
) -> str:
    """An invoice of Premium, monthly; its id."""
    id = f"in_{uuid.uuid4().hex[:16]}"
    paid = status == "paid"
    given = {
        "id": id,
        "user_id": customer.id,
        "stripe_subscription_id": "sub_of_the_invoice",
        "number": f"A-{uuid.uuid4().hex[:6].upper()}",
        "status": status,
        "description": "Premium, monthly",
        "currency": "usd",
        "total": amount,
        "amount_due": amount,
        "amount_paid": amount if paid else 0,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{id}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{id}/pdf",
        "created_at": utcnow(),
        "paid_at": utcnow() if paid else None,
    }
    with app.app_context(), transaction() as session:
        session.add(Invoice(**(given | columns)))
    return id


def a_debt(app: Flask, customer: Customer, credits: int) -> None:
    """A change of plan after which the next grants pay off so many credits."""
    invoice_id = an_invoice(app, customer, amount=0)
    now = utcnow()
    with app.app_context(), transaction() as session:
        session.add(
            PlanCredit(
                id=f"pc_{uuid.uuid4().hex}",
                invoice_id=invoice_id,
                user_id=customer.id,
                stripe_subscription_id="sub_of_the_invoice",
                plan="premium_plan",
                interval="monthly",
                period_start=now,
                period_end=now + MONTH,
                whole_start=now,
                credits=-credits,
                credits_expire="period_end",
                done=1,
                earned=-credits,
                granted=0,
            )
        )
