"""`/v1/disputes`: answered with evidence, or accepted."""

from __future__ import annotations

from stripe.params import (
    DisputeCloseParams,
    DisputeListParams,
    DisputeRetrieveParams,
    DisputeUpdateParams,
)

from . import balance, dispute_life
from .call import Call, Endpoint, updated
from .dispute_body import EVIDENCE_FILES
from .dispute_life import OPEN, TYPE, WAITING
from .errors import JSON, invalid, no_such_reference
from .lists import list_object
from .records import Record, equals

_NOT_OFFERED = ("appeal", "enhanced_evidence")


def retrieve(call: Call) -> JSON:
    """Answer one dispute."""
    return _shown(call, call.target(TYPE).shown())


def list_all(call: Call) -> JSON:
    """List disputes, of one charge or payment intent if asked."""
    names = ("charge", "payment_intent")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    page = list_object(call.tx, TYPE, "/v1/disputes", call.params, *conditions)
    return {**page, "data": [_shown(call, body) for body in page["data"]]}


def update(call: Call) -> JSON:
    """Take evidence, and send it to the bank unless `submit` is false; or change metadata."""
    dispute, params = call.target(TYPE), call.params
    before = dispute.shown()
    evidence: JSON = params.get("evidence", {})
    if evidence or params.get("submit"):
        _check_answerable(dispute)
    _take(dispute, evidence)
    if "metadata" in params:
        dispute.body["metadata"] = updated(dispute.body["metadata"], params["metadata"])
    if "intended_submission_method" in params:
        dispute.body["intended_submission_method"] = params["intended_submission_method"]
    if params.get("submit", bool(evidence)):
        _check_evidence(dispute)
        dispute_life.submit(call.work, dispute)
    dispute_life.tell_updated(call.work, dispute, before)
    return _shown(call, dispute.shown())


def close(call: Call) -> JSON:
    """Accept a chargeback as lost, or an inquiry; that cannot be undone."""
    dispute = call.target(TYPE)
    if dispute.body["status"] == "warning_needs_response":
        dispute_life.close_inquiry(call.work, dispute)
        return _shown(call, dispute.shown())
    if dispute.body["status"] != "needs_response":
        raise invalid(
            "Only a dispute with the status needs_response can be closed. The status of"
            f" {dispute.id} is {dispute.body['status']}."
            + (" An inquiry is accepted by a refund." if dispute_life.is_inquiry(dispute) else "")
        )
    dispute_life.lose(call.work, dispute)
    return _shown(call, dispute.shown())


def _check_answerable(dispute: Record) -> None:
    status = dispute.body["status"]
    if status in WAITING:
        return
    why = "evidence has been submitted already" if status in OPEN else "it is closed"
    raise invalid(f"Dispute {dispute.id} takes no evidence: {why} (its status is {status}).")


def _check_evidence(dispute: Record) -> None:
    if not dispute.body["evidence_details"]["has_evidence"]:
        raise invalid(f"Dispute {dispute.id} has no evidence that could be submitted.", "submit")


def _take(dispute: Record, evidence: JSON) -> None:
    """Write checked evidence into the dispute; what is not named stays."""
    for name in _NOT_OFFERED:
        if name in evidence:
            raise invalid(f"fakestripe does not offer the evidence {name}.", f"evidence[{name}]")
    for name in EVIDENCE_FILES:
        if name in evidence:
            raise no_such_reference("file upload", evidence[name], f"evidence[{name}]")
    dispute.body["evidence"].update(evidence)
    if evidence:
        dispute.body["evidence_details"]["has_evidence"] = True


def _shown(call: Call, body: JSON) -> JSON:
    """Return a dispute whose balance transactions are as available as they are now."""
    moved = [balance.shown_at(call.now, it) for it in body["balance_transactions"]]
    return {**body, "balance_transactions": moved}


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/disputes", DisputeListParams, list_all),
    Endpoint("GET", "/v1/disputes/<id>", DisputeRetrieveParams, retrieve),
    Endpoint("POST", "/v1/disputes/<id>", DisputeUpdateParams, update),
    Endpoint("POST", "/v1/disputes/<id>/close", DisputeCloseParams, close),
]
