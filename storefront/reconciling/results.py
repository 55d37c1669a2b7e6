"""What comparisons found, for whoever shows it."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storefront.db import utcnow
from storefront.reconciling.difference import Difference
from storefront.reconciling.tables import Reconciliation

KEPT_FOR = timedelta(days=365)
FIELDS = (
    "kind", "severity", "what", "stripe_id", "our_id", "user_id", "customer_id", "theirs", "ours",
    "unit",
)  # fmt: skip


def latest(session: Session, limit: int = 1) -> list[Reconciliation]:
    """The comparisons that began last, the newest first."""
    newest = (Reconciliation.started_at.desc(), Reconciliation.id)
    return list(session.scalars(select(Reconciliation).order_by(*newest).limit(limit)))


def examples(run: Reconciliation) -> list[dict[str, Any]]:
    """The first differences that it found, as plain() shows them."""
    found: list[dict[str, Any]] = json.loads(run.examples)
    return found


def counts(run: Reconciliation) -> dict[str, int]:
    """How many differences of each kind it found."""
    found: dict[str, int] = json.loads(run.counts)
    return found


def plain(difference: Difference) -> dict[str, Any]:
    """A difference as JSON has it."""
    return {name: getattr(difference, name) for name in FIELDS}


def prune(session: Session) -> None:
    """Forget comparisons of more than a year ago."""
    old = Reconciliation.started_at < utcnow() - KEPT_FOR
    session.execute(delete(Reconciliation).where(old))
