"""`/v1/balance` and `/v1/balance_transactions`: what charges leave in the account."""

from __future__ import annotations

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


def record_charge(work: Work, charge: JSON, amount: int) -> Record:
    """Store the balance transaction of a captured charge, with Stripe's usual fee."""
    fee = _fee(charge["payment_method_details"]["type"], amount)
    currency = charge["currency"]
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
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
            "description": charge["description"],
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [details],
            "net": amount - fee,
            "reporting_category": "charge",
            "source": charge["id"],
            "status": "pending",
            "type": "charge",
        }
    )


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
    return _shown(call, call.target(TYPE).shown())


def list_all(call: Call) -> JSON:
    """List balance transactions by currency, source and type."""
    names = ("currency", "source", "type", "payout")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    page = list_object(call.tx, TYPE, "/v1/balance_transactions", call.params, *conditions)
    return {**page, "data": [_shown(call, body) for body in page["data"]]}


def _shown(call: Call, body: JSON) -> JSON:
    """Return the transaction as available once its day has come."""
    due = body["available_on"] <= call.now
    return {**body, "status": "available" if due else "pending"}


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/balance", BalanceRetrieveParams, retrieve_balance),
    Endpoint("GET", "/v1/balance_transactions", BalanceTransactionListParams, list_all),
    Endpoint("GET", "/v1/balance_transactions/<id>", BalanceTransactionRetrieveParams, retrieve),
]
