"""Expiry: what remains of a lot when its time has come goes to the account `expired`."""

from datetime import datetime

from sqlalchemy.orm import Session

from storefront.ledger import lots, writing


def expire_due(session: Session, now: datetime, limit: int = 100) -> int:
    """Expire at most `limit` lots that are due at `now` (UTC); how many were due.

    Less than `limit` means that nothing is left. Two workers at it together take turns, and each
    lot expires once: its transfer is `expiry:<lot>`.
    """
    due = lots.due(session, now, limit)
    writing.expire(session, due)
    return len(due)
