"""`/v1/radar/early_fraud_warnings`: what the issuer suspects before anybody disputes."""

from __future__ import annotations

from stripe.params.radar import EarlyFraudWarningListParams, EarlyFraudWarningRetrieveParams

from .account import Work
from .call import Call, Endpoint
from .errors import JSON
from .events import emit
from .ids import new_id
from .lists import list_object
from .records import Record, equals

TYPE = "radar.early_fraud_warning"
FRAUD_TYPES = (
    "unauthorized_use_of_card", "made_with_stolen_card", "made_with_lost_card",
    "made_with_counterfeit_card", "card_never_received", "fraudulent_card_application", "misc",
)  # fmt: skip


def warn(work: Work, charge: Record, fraud_type: str) -> Record:
    """Store a warning about a charge; it calls for action while money can still be refunded."""
    warning = work.add(
        {
            "id": new_id("issfr"),
            "object": TYPE,
            "actionable": not (charge.body["refunded"] or charge.body["disputed"]),
            "charge": charge.id,
            "created": work.now,
            "fraud_type": fraud_type,
            "livemode": False,
            "payment_intent": charge.body["payment_intent"],
        }
    )
    emit(work, "radar.early_fraud_warning.created", warning.shown())
    return warning


def settle(work: Work, charge: Record) -> None:
    """Mark the warnings about a charge as past: it is refunded in full, or disputed."""
    for warning in work.tx.records.all(TYPE, equals("charge", charge.id)):
        if warning.body["actionable"]:
            warning.body["actionable"] = False
            work.save(warning)
            was = {"actionable": True}
            emit(work, "radar.early_fraud_warning.updated", warning.shown(), was)


def retrieve(call: Call) -> JSON:
    """Answer one warning."""
    return call.target(TYPE).shown()


def list_all(call: Call) -> JSON:
    """List warnings, about one charge or payment intent if asked."""
    names = ("charge", "payment_intent")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    url = "/v1/radar/early_fraud_warnings"
    return list_object(call.tx, TYPE, url, call.params, *conditions)


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/radar/early_fraud_warnings", EarlyFraudWarningListParams, list_all),
    Endpoint(
        "GET", "/v1/radar/early_fraud_warnings/<id>", EarlyFraudWarningRetrieveParams, retrieve
    ),
]
