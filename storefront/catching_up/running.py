"""A catch-up from its beginning to its result."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from storefront import handlers
from storefront.catching_up import walking, walks
from storefront.catching_up.tables import CatchUp, EventWalk
from storefront.catching_up.visit import Tally, Visit
from storefront.catching_up.walks import Descent, Types
from storefront.db import db, transaction, utcnow
from storefront.errors import NotFound, StorefrontError
from storefront.ids import new_id
from storefront.stripe_gateway import StripeGateway, reason

RETENTION = timedelta(days=30)
TYPES_PER_CALL = 20
SWEEPING_INTERVAL = timedelta(hours=6)
"""The walk meets what the sweep does, only later; Stripe counts what an account reads."""

GAP = (
    "Stripe lists events for 30 days, and the list was last walked to its end on {until}: "
    "what happened between then and {edge} may be missing. Run flask reconcile, which compares the "
    "objects themselves."
)
UNKNOWN = (
    "Stripe does not know the event {cursor}, up to which its list had been walked (other keys, or "
    "test data that was deleted). All it lists was walked; what it does not list any more may be "
    "missing. Run flask reconcile, which compares the objects themselves."
)


def catch_up(
    gateway: StripeGateway,
    *,
    since: datetime | None = None,
    eager: bool = False,
    patience_seconds: float | None = None,
    tell: Callable[[Tally], None] = lambda _tally: None,
) -> CatchUp:
    """Take in what Stripe lists and we do not have, and try again what failed; what was found.

    Goes on where the last one got to, or through everything from `since` (UTC) on, or, the first
    time, through all that Stripe still lists. `eager` tries failed events although they are not
    due, and looks for undelivered ones although that was done lately. With `patience_seconds` it
    may end before the list does: then it is not `complete`, and the next one goes on.
    Raises the gateway's errors; what was found until then is stored, and nothing is lost.
    """
    with transaction() as session:
        run = CatchUp(id=new_id("catch_up"))
        session.add(run)
        session.flush()
        run_id = run.id
    visit = Visit(gateway, run_id, eager, patience_seconds, tell)
    notes: list[str] = []
    complete = False
    try:
        if since is None:
            complete = _go_on(visit, notes)
        else:
            for types in groups():
                walking.back_to(visit, types, since)
            complete = True
    except StorefrontError as error:
        _end(run_id, notes, error=reason(error))
        raise
    return _end(run_id, notes, complete=complete)


def groups() -> list[Types]:
    """The types that have a handler, as many at a time as one call may name."""
    rest = iter(sorted(handlers.HANDLERS))
    return list(iter(lambda: tuple(islice(rest, TYPES_PER_CALL)), ()))


def _go_on(visit: Visit, notes: list[str]) -> bool:
    for types in groups():
        with transaction() as session:
            swept_at = walks.locked(session, types).swept_at
        if visit.eager or swept_at is None or swept_at < utcnow() - SWEEPING_INTERVAL:
            walking.sweep(visit, types)
    return all(_walk(visit, types, notes) for types in groups())


def _walk(visit: Visit, types: Types, notes: list[str]) -> bool:
    """Bring one group of types up to the present; False when patience ran out before."""
    edge = utcnow() - RETENTION
    cursor, descent = _prepare(types, edge, notes)
    try:
        if cursor is not None:
            return walking.forward(visit, types, cursor)
        return walking.backward(visit, types, descent, edge)
    except NotFound:
        if cursor is not None:
            notes.append(UNKNOWN.format(cursor=cursor))
        with transaction() as session:
            walks.forget(session, types, cursor)
        return walking.backward(visit, types, Descent(), edge)


def _prepare(types: Types, edge: datetime, notes: list[str]) -> tuple[str | None, Descent]:
    """The cursor, if there is a usable one, and where a first walk was left, if one was. A cursor
    that Stripe no longer lists is dropped; only when the walk was not at the end of the list since
    then is anything missed by that."""
    with transaction() as session:
        walk = walks.locked(session, types)
        if _outlived(walk, edge):
            if walk.covered_until is None or walk.covered_until < edge:
                until = walk.covered_until or walk.cursor_created
                notes.append(GAP.format(until=_minute(until), edge=_minute(edge)))
            walks.forget(session, types, walk.cursor)
        return walk.cursor, Descent(walk.anchor, walk.anchor_created, walk.position)


def _outlived(walk: EventWalk, edge: datetime) -> bool:
    at = walk.cursor_created or walk.anchor_created
    return at is not None and at <= edge


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _end(
    run_id: str, notes: list[str], *, complete: bool = False, error: str | None = None
) -> CatchUp:
    with transaction() as session:
        run = session.get_one(CatchUp, run_id, populate_existing=True)
        run.ended_at = utcnow()
        run.complete = complete
        run.note = "\n".join(dict.fromkeys(notes)) or None
        run.error = error
    return db.session().get_one(CatchUp, run_id)
