"""Failed events and their next try: when it is due, who takes it, when it is enough."""

import logging
import random
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.orm import Session

from storefront.db import clock, transaction
from storefront.errors import BadInput
from storefront.inbox.tables import UNSETTLED, StripeEvent, insert_or_ignore
from storefront.stripe_gateway import Event, parse_event

MAXIMUM_ATTEMPTS = 10
FIRST_DELAY_SECONDS = 30
LONGEST_DELAY_SECONDS = 8 * 3600
"""Three times as long after each attempt and never more than eight hours: ten attempts take about
a day, so that what goes away within a day needs nobody."""

MAXIMUM_ERROR_LENGTH = 2_000
KILLED = "Each process that tried it was killed."

log = logging.getLogger(__name__)


def begin(event: Event) -> bool:
    """Record a new event as being tried for the first time; False when its id is known.

    Committed before the try: an event that kills its process has been tried all the same, and
    waits for its next turn while others have theirs.
    """
    with transaction() as session:
        soon = clock(session, delay_seconds(1))
        return insert_or_ignore(session, event, attempts=1, next_try_at=soon)


def claim(event_id: str, *, now: bool = False, anew: bool = False) -> Event | None:
    """Take a failed event for one more try, and count it before it begins, as begin() does.

    None when there is nothing to try: unknown, settled, not due yet (unless `now`), or parked.
    With `anew`, as when a person asks, it is taken in any case, parked or not, and has all its
    attempts again. Of two who claim at once, the second finds it not due.
    """
    with transaction() as session:
        row = session.scalar(_claimable(session, event_id, now=now, anew=anew))
        if row is None:
            return None
        if anew:
            row.state, row.attempts = "failed", 0
        if row.attempts >= MAXIMUM_ATTEMPTS:
            park(row, row.last_error or KILLED)
            return None
        try:
            event = parse_event(row.payload)
        except BadInput as error:
            park(row, f"The stored payload cannot be read: {error.detail}")
            return None
        row.attempts += 1
        row.next_try_at = clock(session, delay_seconds(row.attempts))
        return event


def due(session: Session, limit: int) -> list[str]:
    """Ids of failed events whose next try is due, the one that waits longest first."""
    query = select(StripeEvent.id).where(StripeEvent.state == "failed", _is_due(session))
    order = (StripeEvent.next_try_at.is_not(None), StripeEvent.next_try_at, StripeEvent.id)
    return list(session.scalars(query.order_by(*order).limit(limit)))


def unsettled(
    session: Session, limit: int, after: tuple[datetime, str] | None = None
) -> list[tuple[datetime, str]]:
    """Failed and parked events as (received_at, id), oldest first; `after` is the last of the page
    before."""
    place = tuple_(StripeEvent.received_at, StripeEvent.id)
    query = select(StripeEvent.received_at, StripeEvent.id)
    query = query.where(StripeEvent.state.in_(UNSETTLED))
    if after is not None:
        query = query.where(place > after)
    rows = session.execute(query.order_by(StripeEvent.received_at, StripeEvent.id).limit(limit))
    return [(row.received_at, row.id) for row in rows]


def fail(session: Session, row: StripeEvent, error: str) -> None:
    """Leave the event to its next try."""
    row.state = "failed"
    row.last_error = _shown(error)
    row.next_try_at = clock(session, delay_seconds(row.attempts))


def park(row: StripeEvent, error: str) -> None:
    """Leave the event to a person: logged, listed by `flask webhooks list --state parked`."""
    row.state = "parked"
    row.last_error = _shown(error)
    row.next_try_at = None
    log.error("event %s (%s) parked: %s", row.id, row.type, row.last_error)


def delay_seconds(attempts: int) -> int:
    """How long to wait after so many attempts: tripling, with up to a quarter of jitter, so that
    events which failed together do not all come back together."""
    delay: int = min(FIRST_DELAY_SECONDS * 3 ** (attempts - 1), LONGEST_DELAY_SECONDS)
    return delay + random.randint(0, delay // 4)  # noqa: S311  spreads load, keeps no secret


def _claimable(session: Session, event_id: str, *, now: bool, anew: bool) -> Select[StripeEvent]:
    query = select(StripeEvent).where(StripeEvent.id == event_id)
    if anew:
        query = query.where(StripeEvent.state.in_(UNSETTLED))
    else:
        query = query.where(StripeEvent.state == "failed")
        query = query if now else query.where(_is_due(session))
    return query.with_for_update().execution_options(populate_existing=True)


def _is_due(session: Session) -> ColumnElement[bool]:
    return or_(StripeEvent.next_try_at.is_(None), StripeEvent.next_try_at <= clock(session))


def _shown(error: str) -> str:
    """Storable anywhere: no NUL, no lone surrogate, not endless."""
    storable = error.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return storable[:MAXIMUM_ERROR_LENGTH]
