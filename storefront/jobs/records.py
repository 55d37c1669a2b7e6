"""What became of a job: done, failed and to be tried again, given up, handed back."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from storefront.db import clock, transaction, utcnow
from storefront.jobs.promises import Job
from storefront.jobs.schedule import RUN_PREFIX

MAXIMUM_ATTEMPTS = 20
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 3 * 3600
"""Doubling from five seconds and never more than three hours: twenty attempts take a little more
than a day, so that an outage of a day costs no job."""

MAXIMUM_ERROR_LENGTH = 2_000
KEPT_FOR = timedelta(days=90)
"""Done jobs are kept so long: their keys keep the same work from being done again, and Stripe can
resend an event for 30 days."""

RUNS_KEPT_FOR = timedelta(days=2)
"""The same for runs of the schedule, whose keys never come again."""

log = logging.getLogger(__name__)


class GiveUp(Exception):
    """Raised by a job that can never succeed; the reason is kept, nobody tries again."""


def finish(key: str) -> None:
    """Done is done, whoever holds the lease by now."""
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.key == key, Job.done_at.is_(None))
            .values(done_at=utcnow(), given_up_at=None, locked_until=None, last_error=None)
        )


def fail(key: str, attempt: int, error: str) -> None:
    """Have the job tried again later, or give up after MAXIMUM_ATTEMPTS. A worker that lost its
    lease says nothing: the attempt is no longer the newest."""
    if attempt >= MAXIMUM_ATTEMPTS:
        give_up(key, attempt, error)
        return
    with transaction() as session:
        again_at = clock(session, delay_seconds(attempt))
        session.execute(
            update(Job)
            .where(Job.key == key, Job.attempts == attempt, Job.done_at.is_(None))
            .values(run_at=again_at, locked_until=None, last_error=shown(error))
        )


def give_up(key: str, attempt: int, error: str) -> None:
    """Leave the job for a person: logged, listed by `flask jobs list`, tried again on request."""
    log.error("job %s given up at attempt %d: %s", key, attempt, shown(error))
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.key == key, Job.attempts == attempt, Job.done_at.is_(None))
            .values(given_up_at=utcnow(), locked_until=None, last_error=shown(error))
        )


def hand_back(claims: Sequence[tuple[str, int]]) -> None:
    """Undo claims (key and attempt) whose jobs were not started."""
    with transaction() as session:
        for key, attempt in claims:
            session.execute(
                update(Job)
                .where(Job.key == key, Job.attempts == attempt, Job.done_at.is_(None))
                .values(attempts=attempt - 1, locked_until=None)
            )


def retry(session: Session, key: str) -> bool:
    """Have an unfinished job, also one that was given up, tried now with all its attempts; False
    when there is none. One that is just being done is left to its worker."""
    idle = or_(Job.locked_until.is_(None), Job.locked_until <= clock(session))
    found = session.execute(
        update(Job)
        .where(Job.key == key, Job.done_at.is_(None), idle)
        .values(run_at=clock(session), given_up_at=None, attempts=0, locked_until=None)
        .returning(Job.key)
    )
    return found.scalar() is not None


def listed(session: Session, *, limit: int = 50) -> list[Job]:
    """Unfinished jobs, those first that need a person, then by when they are due."""
    query = select(Job).where(Job.done_at.is_(None))
    return list(session.scalars(query.order_by(Job.given_up_at.is_(None), Job.run_at).limit(limit)))


def prune(session: Session, limit: int = 1000) -> int:
    """Delete at most `limit` done jobs that nobody needs any more; how many went."""
    now = utcnow()
    run = Job.key.startswith(RUN_PREFIX, autoescape=True) & (Job.done_at < now - RUNS_KEPT_FOR)
    old = select(Job.key).where((Job.done_at < now - KEPT_FOR) | run).limit(limit)
    gone = session.scalars(delete(Job).where(Job.key.in_(old)).returning(Job.key))
    return len(list(gone))


def delay_seconds(attempt: int) -> int:
    """How long to wait after this attempt (from 1): doubling, with up to a quarter of jitter, so
    that jobs which failed together do not all come back together."""
    delay: int = min(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), LONGEST_DELAY_SECONDS)
    return delay + random.randint(0, delay // 4)  # noqa: S311  spreads load, keeps no secret


def shown(error: str) -> str:
    """Storable: without NULs (PostgreSQL has none), and not endless."""
    return error.replace("\0", "")[:MAXIMUM_ERROR_LENGTH]
