"""Signed `payment_intent.succeeded` events, as large as Stripe's (2.7 kB), each for a payment of
its own."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.servers import SECRET

CREDITS = 1000
AMOUNT_CENTS = 1000
KEY, CUSTOMER, CREATED = "KEY", "CUSTOMER", 1_700_000_000


def intent(key: str, customer: str) -> dict[str, Any]:
    """The payment intent `pi_<key>` of `pay_<key>`, paid."""
    client_secret = f"pi_{key}_secret_Qw3rTyUiOpAsDfGhJkLzXcVbN"
    return {
        "id": f"pi_{key}", "object": "payment_intent", "amount": AMOUNT_CENTS,
        "amount_capturable": 0, "amount_details": {"tip": {}}, "amount_received": AMOUNT_CENTS,
        "application": None, "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None, "cancellation_reason": None, "capture_method": "automatic_async",
        "client_secret": client_secret, "confirmation_method": "automatic", "created": CREATED,
        "currency": "usd", "customer": f"cus_{customer}", "customer_account": None,
        "description": "1,000 credits", "excluded_payment_method_types": None,
        "last_payment_error": None, "latest_charge": f"ch_{key}", "livemode": False,
        "metadata": {"payment_id": f"pay_{key}", "user_id": f"usr_{customer}", "pack": "usd_10"},
        "next_action": None, "on_behalf_of": None, "payment_method": f"pm_{customer}",
        "payment_method_configuration_details": {"id": "pmc_1QBench0mark00000000", "parent": None},
        "payment_method_options": {
            "amazon_pay": {"express_checkout_element_session_id": None},
            "bancontact": {"preferred_language": "en"},
            "card": {"installments": None, "mandate_options": None, "network": None,
                     "request_three_d_secure": "automatic"},
            "cashapp": {}, "eps": {}, "klarna": {"preferred_locale": None},
            "link": {"persistent_token": None},
        },
        "payment_method_types": ["card", "bancontact", "eps", "klarna", "link", "cashapp",
                                 "amazon_pay"],
        "presentment_details": {
            "presentment_amount": AMOUNT_CENTS, "presentment_currency": "usd"},
        "processing": None, "receipt_email": None, "review": None, "setup_future_usage": None,
        "shipping": None, "source": None, "statement_descriptor": None,
        "statement_descriptor_suffix": "CREDITS", "status": "succeeded", "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def event(key: str, customer: str) -> dict[str, Any]:
    return {
        "id": f"evt_{key}", "object": "event", "api_version": "2026-10-28.endive",
        "created": CREATED, "data": {"object": intent(key, customer)}, "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": f"req_{key}", "idempotency_key": f"order-{key}-attempt-1"},
        "type": "payment_intent.succeeded",
    }  # fmt: skip


# Indented, as Stripe sends it.
_TEMPLATE = json.dumps(event(KEY, CUSTOMER), indent=2)


def body(key: str, customer: str, created: int) -> str:
    text = _TEMPLATE.replace(KEY, key).replace(CUSTOMER, customer)
    return text.replace(str(CREATED), str(created))


def signature(payload: str, at: int) -> str:
    signed = f"{at}.{payload}".encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def write(path: Path, keys: Iterable[str], customer: str | None = None) -> Path:
    """A file for webhook.lua: each event's signature, a tab, and its body with ends of lines as
    vertical tabs (there they are ends of lines again). Each payment is of a customer of its own,
    or all of one. Signed now: Stripe's tolerance is five minutes."""
    now = int(time.time())
    with path.open("w") as file:
        for key in keys:
            payload = body(key, customer or key, now)
            file.write(f"{signature(payload, now)}\t{payload.replace(chr(10), chr(11))}\n")
    return path
