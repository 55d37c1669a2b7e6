"""The latest run of each entry of the schedule. (Runs are jobs, and done jobs are pruned.)"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Literal

from sqlalchemy import Text, case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, db, insert, transaction, utcnow
from storefront.jobs.records import shown
from storefront.jobs.schedule import Scheduled

State = Literal["ok", "failed", "running", "late", "never run"]


class ScheduleRun(Base):
    """The latest run of one entry. `took_ms` is empty while it runs, and when its worker was
    killed; until it ends, `error` is that of the run before. `succeeded_at` is when one last ended
    without an error."""

    __tablename__ = "schedule_runs"
    __table_args__ = STRICT

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Utc)
    took_ms: Mapped[int | None] = mapped_column(Whole)
    error: Mapped[str | None] = mapped_column(Text)
    succeeded_at: Mapped[datetime | None] = mapped_column(Utc)


class Incomplete(Exception):
    """Raised by a run of the schedule that could not do all it should. It is shown with the
    schedule, and the next run makes up for it: this one is not tried again."""


@dataclass(frozen=True)
class EntryState:
    """Where an entry of the schedule stands. `failed`: its last run has an error. `late`: a whole
    period went by without a run, so that no worker is there, or all are busy. `next_at`: when its
    next period begins."""

    name: str
    interval: timedelta
    state: State
    started_at: datetime | None
    took_ms: int | None
    error: str | None
    succeeded_at: datetime | None
    next_at: datetime


def recorded(name: str, function: Callable[..., None]) -> Callable[..., None]:
    """The function of an entry, which now also writes down when it ran and what came of it."""

    @wraps(function)
    def run(*arguments: Any) -> None:
        started_at, begun = _begin(name), time.monotonic()
        error: str | None = None
        try:
            function(*arguments)
        except Incomplete as incomplete:
            error = str(incomplete)
        except Exception as failure:
            _end(name, started_at, begun, f"{type(failure).__name__}: {failure}")
            raise
        _end(name, started_at, begun, error)

    return run


def schedule_state(
    session: Session, schedule: Sequence[Scheduled], now: datetime
) -> list[EntryState]:
    """Each entry's state, in the order of the schedule."""
    rows = {row.name: row for row in session.scalars(select(ScheduleRun))}
    return [_state(each, rows.get(each.name), now) for each in schedule]


def _state(each: Scheduled, row: ScheduleRun | None, now: datetime) -> EntryState:
    begins = each.period(now)
    next_at = begins + each.interval
    if row is None:
        return EntryState(each.name, each.interval, "never run", None, None, None, None, next_at)
    state: State = "ok"
    if row.started_at < begins - each.interval:
        state = "late"
    elif row.took_ms is None:
        state = "running"
    elif row.error is not None:
        state = "failed"
    return EntryState(
        each.name, each.interval, state, row.started_at, row.took_ms, row.error, row.succeeded_at,
        next_at,
    )  # fmt: skip


def _begin(name: str) -> datetime:
    started_at = utcnow()
    with transaction() as session:
        row = insert(session, ScheduleRun).values(name=name, started_at=started_at)
        begun = {"started_at": started_at, "took_ms": None}
        session.execute(row.on_conflict_do_update(index_elements=["name"], set_=begun))
    return started_at


def _end(name: str, started_at: datetime, begun: float, error: str | None) -> None:
    """Unless another run has begun meanwhile: then that one is the latest. A success counts all
    the same."""
    db.session.remove()  # whatever the run left open
    took_ms = int((time.monotonic() - begun) * 1000)
    latest = ScheduleRun.started_at == started_at
    values: dict[str, Any] = {
        "took_ms": case((latest, took_ms), else_=ScheduleRun.took_ms),
        "error": case((latest, shown(error) if error else None), else_=ScheduleRun.error),
    }
    if error is None:
        values["succeeded_at"] = utcnow()
    with transaction() as session:
        session.execute(update(ScheduleRun).where(ScheduleRun.name == name).values(values))
