"""`/v1/charges`: each attempt to take money for a payment intent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe.params import ChargeListParams, ChargeRetrieveParams

from . import balance
from .account import Work
from .behaviour import Decline
from .call import Call, Endpoint
from .errors import JSON
from .events import emit
from .ids import new_id, random_text
from .lists import list_object
from .records import Record, equals

TYPE = "charge"
DESCRIPTOR = "STOREFRONT"
# With capture_method automatic_async the balance transaction comes a moment after the success.
ASYNC_CAPTURE_SECONDS = 2
COPIED = (
    "amount", "currency", "customer", "description", "metadata", "receipt_email", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip


def new_body(work: Work, intent: JSON, method: Record) -> JSON:
    """Return a charge for an intent, with every field of the resource, not decided yet."""
    id = new_id("ch")
    body: dict[str, Any] = {
        "id": id,
        "object": TYPE,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None,
        "billing_details": method.shown()["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or DESCRIPTOR,
        "captured": False,
        "created": work.now,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "level3": None,
        "livemode": False,
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method.id,
        "payment_method_details": _details(intent, method),
        "presentment_details": None,
        "radar_options": {},
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "refunds": None,
        "review": None,
        "source": None,
        "source_transfer": None,
        "status": "pending",
        "transfer": None,
        "transfer_data": None,
    }
    return {**body, **{name: intent[name] for name in COPIED}}


def add_succeeded(
    work: Work, intent: JSON, method: Record, *, authenticated: bool, capture: bool
) -> Record:
    """Store a charge that the bank approved, captured or only authorised, with its event."""
    record = work.add(new_body(work, intent, method), {"receipt": random_text(24)})
    card = record.body["payment_method_details"].get("card")
    if authenticated and card is not None:
        card["three_d_secure"] = _authenticated()
        card["electronic_commerce_indicator"] = "05"
    approve(work, record, capture=capture, at_once=intent["capture_method"] == "automatic")
    return record


def approve(work: Work, charge: Record, *, capture: bool, at_once: bool) -> None:
    """Turn a new or pending charge into a success; `at_once` books it in the same moment."""
    charge.body.update(status="succeeded", paid=True, outcome=_outcome(None))
    if capture:
        _mark_captured(work, charge, charge.body["amount"])
        if at_once:
            _book(work, charge)
        else:
            work.later(ASYNC_CAPTURE_SECONDS, "book_charge", charge.id)
    work.save(charge)
    emit(work, "charge.succeeded", charge.shown())


def add_pending(work: Work, intent: JSON, method: Record) -> Record:
    """Store a charge whose outcome comes later, with its event."""
    record = work.add(new_body(work, intent, method), {"receipt": random_text(24)})
    record.body["outcome"] = _outcome(None)
    work.save(record)
    emit(work, "charge.pending", record.shown())
    return record


def add_failed(work: Work, intent: JSON, method: Record, decline: Decline) -> Record:
    """Store a charge that the bank or Radar refused, with its event."""
    record = work.add(new_body(work, intent, method), {"receipt": random_text(24)})
    refuse(work, record, decline)
    return record


def refuse(work: Work, charge: Record, decline: Decline) -> None:
    """Turn a new or pending charge into a failure."""
    charge.body.update(
        status="failed",
        paid=False,
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=_outcome(decline),
    )
    work.save(charge)
    emit(work, "charge.failed", charge.shown())


def capture(work: Work, charge: Record, amount: int) -> None:
    """Take an authorised charge's money, or a part of it, with its event."""
    _mark_captured(work, charge, amount)
    _book(work, charge)
    work.save(charge)
    emit(work, "charge.captured", charge.shown())


def release(work: Work, charge: Record, event: str) -> None:
    """Give an authorised charge's money free again; `event` says why."""
    charge.body.update(refunded=True, amount_refunded=charge.body["amount"])
    work.save(charge)
    emit(work, event, charge.shown())


def book(work: Work, id: str) -> None:
    """Give a captured charge its balance transaction (the timer after an async capture)."""
    charge = work.tx.get(TYPE, id)
    if charge is None or charge.body["balance_transaction"] is not None:
        return
    _book(work, charge)
    work.save(charge)
    emit(work, "charge.updated", charge.shown(), {"balance_transaction": None})


def retrieve(call: Call) -> JSON:
    """Answer one charge."""
    return call.target(TYPE, TYPE).shown()


def list_all(call: Call) -> JSON:
    """List charges, by payment intent or customer."""
    names = ("payment_intent", "customer", "transfer_group")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    return list_object(call.tx, TYPE, "/v1/charges", call.params, *conditions)


def _mark_captured(work: Work, charge: Record, amount: int) -> None:
    url = f"{work.account.url}/receipts/{charge.id}/{charge.private['receipt']}"
    charge.body.update(captured=True, amount_captured=amount, receipt_url=url)


def _book(work: Work, charge: Record) -> None:
    amount = charge.body["amount_captured"]
    charge.body["balance_transaction"] = balance.record_charge(work, charge.body, amount).id


def _outcome(decline: Decline | None) -> JSON:
    """Return who decided and why, as `outcome` shows it."""
    outcome: dict[str, Any] = {
        "advice_code": decline.advice if decline else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "rule": None,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if decline is None:
        return outcome
    if decline.blocked:
        return {
            **outcome,
            "network_status": "not_sent_to_network",
            "type": "blocked",
            "reason": "highest_risk_level",
            "risk_level": "highest",
            "risk_score": 90,
            "seller_message": "Stripe blocked this payment as too risky.",
        }
    return {
        **outcome,
        "network_status": "declined_by_network",
        "type": "issuer_declined",
        "reason": decline.decline_code or decline.code,
        "seller_message": f"The bank returned the decline code `{decline.decline_code}`.",
    }


def _details(intent: JSON, method: Record) -> JSON:
    type, shown = method.body["type"], method.shown()
    details = shown[type]
    if type == "card":
        return {"type": type, "card": _card_details(intent, details)}
    for name in ("generated_from", "networks", "status_details", "financial_connections_account"):
        details.pop(name, None)
    details |= {"expected_debit_date": None, "mandate": None}
    if type == "us_bank_account":
        details["payment_reference"] = None
    return {"type": type, type: details}


def _card_details(intent: JSON, card: JSON) -> JSON:
    for name in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
        card.pop(name)
    checks = card["checks"]
    checks["cvc_check"] = "pass" if checks["cvc_check"] else None
    return {
        **card,
        "amount_authorized": intent["amount"],
        "authorization_code": random_text(6).upper(),
        "capture_before": None,
        "electronic_commerce_indicator": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "moto": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": random_text(15).upper(),
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "setup_credential_usage": None,
        "stored_credential_usage": None,
        "three_d_secure": None,
        "transaction_link_id": None,
    }


def _authenticated() -> JSON:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": random_text(36).lower(),
        "version": "2.2.0",
    }


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/charges", ChargeListParams, list_all),
    Endpoint("GET", "/v1/charges/<id>", ChargeRetrieveParams, retrieve),
]
TIMERS: dict[str, Callable[[Work, str], None]] = {"book_charge": book}
