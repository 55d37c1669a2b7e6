"""The table, and how a job gets into it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, clock, insert, utcnow

State = Literal["waiting", "running", "failed", "done", "given up"]

OPEN = text("done_at IS NULL AND given_up_at IS NULL")
DONE = text("done_at IS NOT NULL")
GIVEN_UP = text("given_up_at IS NOT NULL AND done_at IS NULL")


class Job(Base):
    """One piece of work. `key` makes it one, `args` is a JSON object, `attempts` counts starts.

    A worker that holds the job until `locked_until` is at it; `attempts` says which start it is,
    so that one who comes back from a lost lease cannot overwrite the other's result.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_open", "run_at", postgresql_where=OPEN, sqlite_where=OPEN),
        Index("ix_jobs_done", "done_at", "key", postgresql_where=DONE, sqlite_where=DONE),
        Index(
            "ix_jobs_given_up",
            "given_up_at",
            "key",
            postgresql_where=GIVEN_UP,
            sqlite_where=GIVEN_UP,
        ),
        STRICT,
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    args: Mapped[str] = mapped_column(Text)
    run_at: Mapped[datetime] = mapped_column(Utc)
    locked_until: Mapped[datetime | None] = mapped_column(Utc)
    attempts: Mapped[int] = mapped_column(Whole, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    done_at: Mapped[datetime | None] = mapped_column(Utc)
    given_up_at: Mapped[datetime | None] = mapped_column(Utc)

    def state(self, now: datetime) -> State:
        """What can be said of the job at this moment."""
        if self.done_at is not None:
            return "done"
        if self.given_up_at is not None:
            return "given up"
        if self.locked_until is not None and self.locked_until > now:
            return "running"
        return "failed" if self.attempts else "waiting"


def promise(
    session: Session,
    kind: str,
    args: Mapping[str, Any],
    *,
    key: str,
    run_at: datetime | None = None,
) -> bool:
    """Have this done after the caller's transaction has committed, from `run_at` (UTC) on.

    `kind` names the function, `args` are its arguments (JSON values). The same key again is the
    same job: False is returned and nothing changes, whether or not it has been done by then.
    """
    assert session.info.get("writing"), "work is promised inside transaction()"
    assert key and kind
    session.flush()
    row = insert(session, Job).values(
        key=key,
        kind=kind,
        args=json.dumps(dict(args), sort_keys=True),
        run_at=run_at or clock(session),
        created_at=utcnow(),
        attempts=0,
    )
    made = session.execute(row.on_conflict_do_nothing(index_elements=["key"]).returning(Job.key))
    return made.scalar() is not None
