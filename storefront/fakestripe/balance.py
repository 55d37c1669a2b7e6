"""`/v1/balance` and `/v1/balance_transactions`: what money did to the account."""

from __future__ import annotations

from dataclasses import dataclass

from stripe.params import (
    BalanceRetrieveParams,
    BalanceTransactionListParams,
    BalanceTransactionRetrieveParams,
)

from .account import Work
from .call import Call, Endpoint
from .errors import JSON
from .ids import new_id
from .lists import list_object
from .records import Record, equals

TYPE = "balance_transaction"
DEFAULT_CURRENCY = "usd"
AVAILABLE_AFTER_SECONDS = 2 * 24 * 3600
DISPUTE_FEE = 1500  # minor units of the disputed charge's currency


def record_charge(work: Work, charge: JSON, amount: int) -> Record:
    """Store the balance transaction of a captured charge, with Stripe's usual fee."""
    fee = _fee(charge["payment_method_details"]["type"], amount)
    kind = Kind("charge", "charge", charge["description"], "Stripe processing fees")
    return _record(work, kind, charge["id"], charge["currency"], amount, fee)


def record_refund(work: Work, refund: JSON, about: str | None) -> Record:
    """Store what a refund takes out; Stripe keeps the fee of the charge."""
    kind = Kind("refund", "refund", _described("REFUND FOR CHARGE", about))
    return _record(work, kind, refund["id"], refund["currency"], -refund["amount"])


def record_refund_failure(work: Work, refund: JSON, about: str | None) -> Record:
    """Store the way back of a refund that failed or was canceled."""
    kind = Kind("refund_failure", "refund_failure", _described("REFUND FAILURE", about))
    return _record(work, kind, refund["id"], refund["currency"], refund["amount"])


def record_withdrawal(work: Work, dispute: JSON) -> Record:
    """Store what a chargeback takes out, with the fee for disputes."""
    kind = Kind(
        "adjustment", "dispute", f"Chargeback withdrawal for {dispute['charge']}", "Dispute fee"
    )
    amount, currency = -dispute["amount"], dispute["currency"]
    return _record(work, kind, dispute["id"], currency, amount, DISPUTE_FEE)


def record_reinstatement(work: Work, dispute: JSON) -> Record:
    """Store what a won dispute brings back; since June 2025 its fee stays paid."""
    kind = Kind("adjustment", "dispute_reversal", f"Chargeback reversal for {dispute['charge']}")
    return _record(work, kind, dispute["id"], dispute["currency"], dispute["amount"])


@dataclass(frozen=True)
class Kind:
    """What a balance transaction is called: by the API, in reports, for people."""

    type: str
    reporting_category: str
    description: str | None
    fee: str = ""


def _record(
    work: Work, kind: Kind, source: str, currency: str, amount: int, fee: int = 0
) -> Record:
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": kind.fee,
        "type": "stripe_fee",
    }
    return work.add(
        {
            "id": new_id("txn"),
            "object": TYPE,
            "amount": amount,
            "available_on": work.now + AVAILABLE_AFTER_SECONDS,
            "balance_type": "payments",
            "created": work.now,
            "currency": currency,
            "description": kind.description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [details] if fee else [],
            "net": amount - fee,
            "reporting_category": kind.reporting_category,
            "source": source,
            "status": "pending",
            "type": kind.type,
        }
    )


def _described(what: str, about: str | None) -> str:
    return f"{what} ({about})" if about else what


def _fee(method: str, amount: int) -> int:
    """Return the fee in minor units: 2.9 % + 30 for cards, 0.8 % up to 500 for debits, 35 SEPA."""
    if method == "us_bank_account":
        return min(amount * 8 // 1000, 500)
    if method == "sepa_debit":
        return min(35, amount)
    return min((amount * 29 + 500) // 1000 + 30, amount)


def retrieve_balance(call: Call) -> JSON:
    """Answer the account's balance, summed over its balance transactions."""
    available: dict[str, int] = {}
    pending: dict[str, int] = {}
    for record in call.tx.records.all(TYPE):
        due = record.body["available_on"] <= call.now
        sums = available if due else pending
        currency = record.body["currency"]
        sums[currency] = sums.get(currency, 0) + record.body["net"]
    return {
        "object": "balance",
        "available": _funds(available),
        "connect_reserved": None,
        "instant_available": None,
        "issuing": None,
        "livemode": False,
        "pending": _funds(pending),
        "refund_and_dispute_prefunding": None,
    }


def _funds(sums: dict[str, int]) -> list[JSON]:
    return [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted((sums or {DEFAULT_CURRENCY: 0}).items())
    ]


def retrieve(call: Call) -> JSON:
    """Answer one balance transaction."""
    return shown_at(call.now, call.target(TYPE).shown())


def list_all(call: Call) -> JSON:
    """List balance transactions by currency, source and type."""
    names = ("currency", "source", "type", "payout")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    page = list_object(call.tx, TYPE, "/v1/balance_transactions", call.params, *conditions)
    return {**page, "data": [shown_at(call.now, body) for body in page["data"]]}


def shown_at(now: int, body: JSON) -> JSON:
    """Return a transaction as available once its day has come."""
    return {**body, "status": "available" if body["available_on"] <= now else "pending"}


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/balance", BalanceRetrieveParams, retrieve_balance),
    Endpoint("GET", "/v1/balance_transactions", BalanceTransactionListParams, list_all),
    Endpoint("GET", "/v1/balance_transactions/<id>", BalanceTransactionRetrieveParams, retrieve),
]
