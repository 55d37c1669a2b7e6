"""The resources that the stand-in knows: a new one is a new file and a line here."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    account_info,
    aftermath,
    balance,
    charges,
    customers,
    dispute_life,
    disputes,
    early_fraud_warnings,
    events,
    intent_settlement,
    payment_intents,
    payment_methods,
    refund_life,
    refunds,
    webhook_endpoints,
)
from .account import Work
from .billing import nouns as billing
from .call import Endpoint

ENDPOINTS: list[Endpoint] = [
    *account_info.ENDPOINTS,
    *balance.ENDPOINTS,
    *billing.ENDPOINTS,
    *charges.ENDPOINTS,
    *customers.ENDPOINTS,
    *disputes.ENDPOINTS,
    *early_fraud_warnings.ENDPOINTS,
    *events.ENDPOINTS,
    *payment_intents.ENDPOINTS,
    *payment_methods.ENDPOINTS,
    *refunds.ENDPOINTS,
    *webhook_endpoints.ENDPOINTS,
]

# What happens by itself when the clock has moved: kind of timer -> function of the object's id.
TIMERS: dict[str, Callable[[Work, str], None]] = {
    **aftermath.TIMERS,
    **billing.TIMERS,
    **charges.TIMERS,
    **dispute_life.TIMERS,
    **intent_settlement.TIMERS,
    **refund_life.TIMERS,
}
