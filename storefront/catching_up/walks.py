"""What is remembered of a walk, changed inside the caller's transaction. Of several walks of the
same types at once, none moves the cursor back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.catching_up.tables import EventWalk
from storefront.db import insert, utcnow
from storefront.stripe_gateway import Event

Types = tuple[str, ...]


@dataclass
class Descent:
    """Where a walk from the newest event to the oldest is: everything from `anchor`, the newest
    event that is settled, down to `position` is recorded."""

    anchor: str | None = None
    anchor_created: datetime | None = None
    position: str | None = None


def locked(session: Session, types: Types) -> EventWalk:
    """The walk along these types; made if there is none."""
    key = ",".join(types)
    session.execute(insert(session, EventWalk).values(types=key).on_conflict_do_nothing())
    query = select(EventWalk).where(EventWalk.types == key).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def advance(session: Session, types: Types, event: Event | None) -> None:
    """Everything on the list up to this event is recorded."""
    walk = locked(session, types)
    if event is None or walk.cursor_created is None or walk.cursor_created > event.created:
        return
    walk.cursor, walk.cursor_created = event.id, event.created


def reached_the_end(session: Session, types: Types, when: datetime) -> None:
    """The list had no newer event at this moment."""
    walk = locked(session, types)
    walk.covered_until = max(walk.covered_until or when, when)


def descending(session: Session, types: Types, descent: Descent) -> None:
    """A first walk has got this far. Another may have ended before."""
    walk = locked(session, types)
    if walk.cursor is None:
        _stand(walk, descent)


def descended(
    session: Session,
    types: Types,
    descent: Descent,
    since: datetime,
    covered_until: datetime | None,
) -> None:
    """A first walk has ended: its anchor, if it had one, is the cursor from now on."""
    walk = locked(session, types)
    if walk.cursor is None:
        walk.cursor, walk.cursor_created = descent.anchor, descent.anchor_created
        walk.covered_from, walk.covered_until = since, covered_until
        _stand(walk, Descent())


def forget(session: Session, types: Types, cursor: str | None) -> None:
    """Begin again from the newest event: this cursor, or the position of a first walk, is of no
    use. One that another catch-up has set meanwhile stays."""
    walk = locked(session, types)
    if walk.cursor == cursor:
        walk.cursor = walk.cursor_created = None
        _stand(walk, Descent())


def swept(session: Session, types: Types) -> None:
    locked(session, types).swept_at = utcnow()


def _stand(walk: EventWalk, descent: Descent) -> None:
    walk.anchor, walk.anchor_created = descent.anchor, descent.anchor_created
    walk.position = descent.position
