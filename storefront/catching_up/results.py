"""What catch-ups found, for whoever shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from storefront.catching_up.running import RETENTION, groups
from storefront.catching_up.tables import CatchUp, EventWalk
from storefront.db import utcnow

KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True)
class Coverage:
    """Every event that Stripe listed between `since` and `until` is here; both None until each type
    of event was walked once. `missing` events had not been delivered in the last 30 days, and came
    from the list."""

    since: datetime | None
    until: datetime | None
    missing: int


def latest(session: Session, *, complete: bool = False) -> CatchUp | None:
    """The catch-up that began last; with `complete` the last that reached the end of the list."""
    query = select(CatchUp).order_by(CatchUp.started_at.desc(), CatchUp.id).limit(1)
    return session.scalar(query.where(CatchUp.complete) if complete else query)


def newest(session: Session, limit: int) -> list[CatchUp]:
    """The last catch-ups, the newest first."""
    query = select(CatchUp).order_by(CatchUp.started_at.desc(), CatchUp.id)
    return list(session.scalars(query.limit(limit)))


def coverage(session: Session) -> Coverage:
    keys = [",".join(types) for types in groups()]
    walks = session.scalars(select(EventWalk).where(EventWalk.types.in_(keys))).all()
    lately = CatchUp.started_at >= utcnow() - RETENTION
    missing = session.scalar(select(func.sum(CatchUp.missing)).where(lately)) or 0
    begins = [walk.covered_from for walk in walks if walk.covered_from is not None]
    ends = [walk.covered_until for walk in walks if walk.covered_until is not None]
    if not keys or len(begins) < len(keys) or len(ends) < len(keys):
        return Coverage(None, None, int(missing))
    return Coverage(max(begins), min(ends), int(missing))


def prune(session: Session) -> None:
    """Forget old catch-ups, and walks along types that nobody has walked for as long as Stripe
    keeps events."""
    now = utcnow()
    session.execute(delete(CatchUp).where(CatchUp.started_at < now - KEPT_FOR))
    session.execute(delete(EventWalk).where(EventWalk.covered_until < now - RETENTION - KEPT_FOR))
