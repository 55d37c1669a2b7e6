"""The PaymentIntent behind a challenge, if the caller knows its client secret."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from ..account import current_account


def find_intent(intent_id: str, client_secret: str) -> dict[str, Any] | None:
    """Return the intent as the API shows it; None if there is none or the secret is another's."""
    with current_account().store.reading() as tx:
        record = tx.get("payment_intent", intent_id)
    if record is None or record.deleted:
        return None
    intent: dict[str, Any] = record.shown()
    known = str(intent["client_secret"]).encode()
    return intent if compare_digest(known, client_secret.encode()) else None
