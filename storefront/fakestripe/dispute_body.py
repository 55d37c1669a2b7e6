"""What a dispute says when it is new, and what evidence it takes."""

from __future__ import annotations

from .errors import JSON
from .ids import new_id

DAY_SECONDS = 24 * 3600
RESPONSE_DAYS = 9  # the evidence is due at the end of the ninth day, in UTC

# Text for the bank, and ids of uploaded files.
EVIDENCE_TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_email_address", "customer_name", "customer_purchase_ip",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_tracking_number", "uncategorized_text",
)  # fmt: skip
EVIDENCE_FILES = (
    "cancellation_policy", "customer_communication", "customer_signature",
    "duplicate_charge_documentation", "receipt", "refund_policy", "service_documentation",
    "shipping_documentation", "uncategorized_file",
)  # fmt: skip

# Reason -> Visa's code for it.
REASONS = {
    "bank_cannot_process": None,
    "check_returned": None,
    "credit_not_processed": "13.6",
    "customer_initiated": None,
    "debit_not_authorized": None,
    "duplicate": "12.6.1",
    "fraudulent": "10.4",
    "general": None,
    "incorrect_account_details": None,
    "insufficient_funds": None,
    "noncompliant": None,
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
    "unrecognized": None,
}


def new_body(now: int, charge: JSON, amount: int, reason: str, *, inquiry: bool) -> JSON:
    """Return a dispute of a charge, with every field of the resource; no money has moved."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {
            **dict.fromkeys((*EVIDENCE_TEXTS, *EVIDENCE_FILES)),
            "appeal": None,
            "enhanced_evidence": {},
        },
        "evidence_details": {
            "due_by": due_by(now),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": "manual",
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},
        "network_reason_code": REASONS[reason],
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _details(charge, reason, inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def due_by(now: int) -> int:
    """Return until when a dispute of this moment takes evidence."""
    return (now // DAY_SECONDS + RESPONSE_DAYS) * DAY_SECONDS - 1


def _details(charge: JSON, reason: str, *, inquiry: bool) -> JSON | None:
    card = charge["payment_method_details"].get("card")
    if card is None:
        return None
    return {
        "type": "card",
        "card": {
            "brand": card["brand"],
            "case_type": "inquiry" if inquiry else "chargeback",
            "network": card["network"],
            "network_reason_code": REASONS[reason],
        },
    }
