"""Attempts at things that may only be tried so often, counted in the database, so that a limit
holds across processes, machines and restarts.

take() counts an attempt before it is made: of any number of parallel tries exactly `allowed` get
through. What turned out well is given back. A refused try is not counted, so that a limit always
ends: it opens again as the counted ones grow older than the window.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, Index, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, is_sqlite, transaction, utcnow
from storefront.errors import TooMany

KEPT_FOR = timedelta(days=1)
"""Longer than any window."""

PRUNE_ALL_EVERY = 200
"""Each so-manieth row clears old rows of every subject, also of those that never come back."""


class Attempt(Base):
    """One counted attempt: `kind` is what was tried, `subject` by or at whom."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_subject", "kind", "subject", "at"), STRICT)

    id: Mapped[int] = mapped_column(Whole, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Utc, default=utcnow)


@dataclass(frozen=True, order=True)
class Limit:
    """At most `allowed` attempts of this kind by this subject in any `window`."""

    kind: str
    subject: str
    allowed: int
    window: timedelta


def take(*limits: Limit) -> list[int]:
    """Count one attempt under each limit, or none; the ids are for give_back().

    Counting and inserting are one transaction behind a lock on each subject, so parallel tries
    cannot pass together. Raises TooMany with the seconds until one more will be let through.
    """
    with transaction() as session:
        now = utcnow()
        for limit in sorted(limits):  # one order for all: no two tries wait for each other
            _lock(session, limit)
            _require_room(session, limit, now)
        return [_count(session, limit, now) for limit in limits]


def give_back(taken: list[int]) -> None:
    """Uncount attempts: they were none, as it turned out."""
    with transaction() as session:
        session.execute(delete(Attempt).where(Attempt.id.in_(taken)))


def forget(kind: str, subject: str) -> None:
    """Uncount everything of this kind by this subject."""
    with transaction() as session:
        session.execute(delete(Attempt).where(_of(kind, subject)))


@contextmanager
def counting_failures(*limits: Limit) -> Iterator[None]:
    """Let the block run if no limit is reached, and count it unless it ends well: then it is
    given back, and the first limit's subject starts afresh. Raises TooMany before the block runs.
    """
    taken = take(*limits)
    yield
    give_back(taken)
    forget(limits[0].kind, limits[0].subject)


def digest(text: str) -> str:
    """A subject that can be compared but not read, such as the e-mail address of nobody here."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _lock(session: Session, limit: Limit) -> None:
    """Only PostgreSQL needs it: on SQLite the transaction is the only writer already."""
    if not is_sqlite(session):
        key = func.hashtextextended(f"{limit.kind}:{limit.subject}", 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))


def _require_room(session: Session, limit: Limit, now: datetime) -> None:
    """The attempt `allowed` places back must have left the window."""
    counted = session.scalar(
        select(Attempt.at)
        .where(_of(limit.kind, limit.subject), Attempt.at > now - limit.window)
        .order_by(Attempt.at.desc())
        .offset(limit.allowed - 1)
        .limit(1)
    )
    if counted is None:
        return
    seconds = max(1, ceil((counted + limit.window - now).total_seconds()))
    raise TooMany(
        f"Too many attempts. Please wait {_in_words(seconds)} and try again.",
        retry_after_seconds=seconds,
    )


def _count(session: Session, limit: Limit, now: datetime) -> int:
    attempt = Attempt(kind=limit.kind, subject=limit.subject, at=now)
    session.add(attempt)
    session.flush()
    old = delete(Attempt).where(Attempt.at < now - KEPT_FOR)
    everyone = attempt.id % PRUNE_ALL_EVERY == 0
    session.execute(old if everyone else old.where(_of(limit.kind, limit.subject)))
    return attempt.id


def _of(kind: str, subject: str) -> ColumnElement[bool]:
    return (Attempt.kind == kind) & (Attempt.subject == subject)


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return "a minute" if seconds > 30 else f"{seconds} seconds"
    minutes = ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
