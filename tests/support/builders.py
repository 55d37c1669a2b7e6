"""Builders: customers and payments as rows, intents and events as Stripe's JSON, deliveries."""

import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from stripe import WebhookSignature
from werkzeug.test import TestResponse

from storefront.db import transaction
from storefront.payments import Payment
from storefront.stripe_gateway import API_VERSION
from storefront.users import User, hash_password
from tests.support.apps import WEBHOOK_SECRET

PASSWORD = "correct horse battery"

Json = dict[str, Any]


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass(frozen=True)
class Customer:
    """A customer's row: plain facts that outlive every session."""

    id: str
    email: str
    stripe_id: str


@dataclass(frozen=True)
class Purchase:
    """A payment's row. `intent_id` is Stripe's, whether or not our row knows it yet."""

    id: str
    customer: Customer
    intent_id: str
    amount: int
    currency: str
    credits: int


def a_user(app: Flask, *, stripe_id: str | None = "", email: str | None = None) -> Customer:
    """A customer; linked to a Stripe customer of its own unless `stripe_id` is None."""
    name = uuid.uuid4().hex[:16]
    linked = f"cus_{name}" if stripe_id == "" else stripe_id
    customer = Customer(f"usr_{name}", email or f"{name}@example.com", linked or "")
    with app.app_context(), transaction() as session:
        session.add(
            User(
                id=customer.id,
                email=customer.email,
                password_hash=_password_hash(),
                stripe_customer_id=linked,
            )
        )
    return customer


def a_payment(
    app: Flask,
    customer: Customer | None = None,
    *,
    amount: int = 1000,
    credits: int = 1000,
    currency: str = "usd",
    status: str = "requires_payment_method",
    linked: bool = True,
    pack_or_plan: str = "usd_10",
    **columns: Any,
) -> Purchase:
    """A payment; `linked` False is a row that died before it learned its intent's id."""
    customer = customer or a_user(app)
    name = uuid.uuid4().hex[:16]
    purchase = Purchase(f"pay_{name}", customer, f"pi_{name}", amount, currency, credits)
    with app.app_context(), transaction() as session:
        session.add(
            Payment(
                id=purchase.id,
                user_id=customer.id,
                pack_or_plan=pack_or_plan,
                amount_cents=amount,
                currency=currency,
                credits=credits,
                status=status if linked else "opened",
                stripe_intent_id=purchase.intent_id if linked else None,
                **columns,
            )
        )
    return purchase


def an_intent(purchase: Purchase, status: str = "succeeded", **changes: Any) -> Json:
    """The purchase's payment intent as Stripe would show it."""
    paid = status == "succeeded"
    return {
        "id": purchase.intent_id,
        "object": "payment_intent",
        "amount": purchase.amount,
        "amount_received": purchase.amount if paid else 0,
        "currency": purchase.currency,
        "customer": purchase.customer.stripe_id,
        "last_payment_error": None,
        "metadata": {"payment_id": purchase.id, "user_id": purchase.customer.id},
        "status": status,
    } | changes


def a_decline(code: str = "generic_decline", message: str = "Your card was declined.") -> Json:
    """What Stripe puts into last_payment_error."""
    return {"type": "card_error", "code": "card_declined", "decline_code": code, "message": message}


def an_event(
    intent: Mapping[str, Any], type: str = "payment_intent.succeeded", **changes: Any
) -> Json:
    """A snapshot event around an object, with an id of its own."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": dict(intent)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
    } | changes


def paid(purchase: Purchase, **changes: Any) -> Json:
    """A fresh event saying that this purchase was paid; `changes` are of the event."""
    return an_event(an_intent(purchase), **changes)


def declined(purchase: Purchase, code: str = "generic_decline", **changes: Any) -> Json:
    intent = an_intent(
        purchase, "requires_payment_method", last_payment_error=a_decline(code, f"Declined: {code}")
    )
    return an_event(intent, "payment_intent.payment_failed", **changes)


def moved(purchase: Purchase, status: str) -> Json:
    """A fresh event saying that the purchase's intent got to this unpaid status."""
    return an_event(an_intent(purchase, status), f"payment_intent.{status}")


def body_of(event: Mapping[str, Any]) -> bytes:
    """The bytes that Stripe would send: pretty-printed with two spaces."""
    return json.dumps(event, indent=2).encode()


def signed(body: bytes, secret: str = WEBHOOK_SECRET, t: int | None = None) -> str:
    """The Stripe-Signature header for a body, by Stripe's own helper; `t` in Unix seconds.

    The helper signs text; what is not UTF-8 is signed here, as Stripe documents it.
    """
    try:
        header: str = WebhookSignature.generate_signature_header(body.decode(), secret, t)
    except UnicodeDecodeError:
        moment = str(int(time.time()) if t is None else t)
        mac = hmac.new(secret.encode(), moment.encode() + b"." + body, "sha256")
        return f"t={moment},v1={mac.hexdigest()}"
    return header


def deliver(
    client: FlaskClient,
    event: Mapping[str, Any] | bytes,
    *,
    signature: str | None = None,
    **headers: str,
) -> TestResponse:
    """POST an event (or raw bytes) to the webhook, signed now unless a signature is given."""
    body = event if isinstance(event, bytes) else body_of(event)
    path = client.application.extensions["storefront_config"].webhook_path
    given = {"Stripe-Signature": signed(body) if signature is None else signature} | headers
    return client.post(path, data=body, content_type="application/json", headers=given)


def event_of(app: Flask, event: Mapping[str, Any]) -> Any:
    """The event as the gateway hands it on: for calling handlers without HTTP."""
    body = body_of(event)
    return app.extensions["stripe_gateway"].verify_event(body, signed(body))
