"""What is remembered of a walk, changed inside the caller's transaction. Of several walks of the
same types at once, none moves the cursor back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storefront.catching_up.tables import EventWalk
from storefront.db import is_sqlite, utcnow
from storefront.stripe_gateway import Event

NOWHERE: Mapping[str, Any] = {"anchor": None, "anchor_created": None, "position": None}


def locked(session: Session, types: tuple[str, ...]) -> EventWalk:
    """The walk along these types; made if there is none."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    key = ",".join(types)
    session.execute(insert(EventWalk).values(types=key).on_conflict_do_nothing())
    query = select(EventWalk).where(EventWalk.types == key).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def advance(session: Session, types: tuple[str, ...], event: Event | None) -> None:
    """Everything on the list up to this event is recorded."""
    walk = locked(session, types)
    if event is None or walk.cursor_created is None or walk.cursor_created > event.created:
        return
    walk.cursor, walk.cursor_created = event.id, event.created


def reached_the_end(session: Session, types: tuple[str, ...], when: datetime) -> None:
    """The list had no newer event at this moment."""
    walk = locked(session, types)
    walk.covered_until = max(walk.covered_until or when, when)


def descending(session: Session, types: tuple[str, ...], descent: Mapping[str, Any]) -> None:
    """A first walk has got this far. Another may have ended before."""
    walk = locked(session, types)
    if walk.cursor is None:
        _set(walk, {name: descent[name] for name in NOWHERE})


def descended(
    session: Session,
    types: tuple[str, ...],
    descent: Mapping[str, Any],
    since: datetime,
    covered_until: datetime | None,
) -> None:
    """A first walk has ended: its anchor, if it had one, is the cursor from now on."""
    walk = locked(session, types)
    if walk.cursor is None:
        walk.cursor, walk.cursor_created = descent["anchor"], descent["anchor_created"]
        walk.covered_from, walk.covered_until = since, covered_until
        _set(walk, NOWHERE)


def forget(session: Session, types: tuple[str, ...], cursor: str | None) -> None:
    """Begin again from the newest event: this cursor, or the position of a first walk, is of no
    use. One that another catch-up has set meanwhile stays."""
    walk = locked(session, types)
    if walk.cursor == cursor:
        walk.cursor = walk.cursor_created = None
        _set(walk, NOWHERE)


def swept(session: Session, types: tuple[str, ...]) -> None:
    locked(session, types).swept_at = utcnow()


def _set(walk: EventWalk, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(walk, name, value)
