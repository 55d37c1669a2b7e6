"""Looking events up, and deleting those that nobody can need any more."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, defer

from storefront.inbox.tables import SETTLED, State, StripeEvent

MINIMUM_AGE = timedelta(days=31)
"""Stripe lists and sends an event again for 30 days. Older ones can be forgotten: were they to
come after all, the ledger's keys would keep their effect once."""

PRUNED_AFTER = timedelta(days=90)


def find(session: Session, event_id: str) -> StripeEvent | None:
    return session.get(StripeEvent, event_id, populate_existing=True)


def states(session: Session, event_ids: Collection[str]) -> dict[str, State]:
    """The state of each of these events that is known here."""
    query = select(StripeEvent.id, StripeEvent.state).where(StripeEvent.id.in_(event_ids))
    return {row.id: row.state for row in session.execute(query)}


def listed(
    session: Session,
    *,
    state: State | None = None,
    type: str | None = None,
    received_before: datetime | None = None,
    limit: int = 50,
) -> list[StripeEvent]:
    """Events without their payloads, the newest first; `type` may end with `*`."""
    query = select(StripeEvent).options(defer(StripeEvent.payload, raiseload=True))
    if state is not None:
        query = query.where(StripeEvent.state == state)
    if type is not None and type.endswith("*"):
        query = query.where(StripeEvent.type.startswith(type[:-1], autoescape=True))
    elif type is not None:
        query = query.where(StripeEvent.type == type)
    if received_before is not None:
        query = query.where(StripeEvent.received_at < received_before)
    newest_first = (StripeEvent.received_at.desc(), StripeEvent.id.desc())
    return list(session.scalars(query.order_by(*newest_first).limit(limit)))


def prune(session: Session, before: datetime, limit: int) -> int:
    """Delete at most `limit` events that were received and settled before this moment; how many
    went. The whole row goes: a payload holds names and addresses, which are not kept for ever.
    What failed or is parked stays."""
    settled_at = func.coalesce(StripeEvent.handled_at, StripeEvent.received_at)
    old = (
        select(StripeEvent.id)
        .where(StripeEvent.state.in_(SETTLED))
        .where(StripeEvent.received_at < before, settled_at < before)
        .limit(limit)
    )
    gone = session.scalars(
        delete(StripeEvent).where(StripeEvent.id.in_(old)).returning(StripeEvent.id)
    )
    return len(list(gone))
