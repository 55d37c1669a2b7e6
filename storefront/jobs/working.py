"""Claiming due jobs and doing them, each outside of the transaction that claimed it."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from storefront.db import clock, db, transaction
from storefront.jobs import records
from storefront.jobs.promises import Job
from storefront.jobs.records import MAXIMUM_ATTEMPTS, GiveUp
from storefront.jobs.schedule import RUN_PREFIX
from storefront.observing import about, counting
from storefront.observing.lines import with_facts

__all__ = ["LEASE_SECONDS", "MAXIMUM_ATTEMPTS", "Args", "Registry", "work_once"]

LEASE_SECONDS = 60
"""Longer than any job takes: its calls to the outside have shorter time-outs."""

BATCH = 10

Args = Mapping[str, Any]
Registry = Mapping[str, Callable[[Args], None]]
"""Kind of job -> the function that does it. It opens its own transactions."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A job that this worker may do until its lease ends; `attempt` counts from 1."""

    key: str
    kind: str
    args: str
    attempt: int


def work_once(
    registry: Registry,
    *,
    batch: int = BATCH,
    lease_seconds: float = LEASE_SECONDS,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Do what is due, once; how many jobs were started.

    Up to `batch` fresh jobs are claimed at once. One that was tried before is claimed alone: if
    it is the kind that kills its worker, it takes no other with it. When `stopping` turns true,
    the job in hand is finished and the others go back untouched.
    """
    started = 0
    for fresh, limit in ((True, batch), (False, 1)):
        if not stopping() and _any_due(fresh):
            claims = _claim(fresh, limit, lease_seconds)
            started += _do_all(registry, claims, lease_seconds, stopping)
    return started


def _any_due(fresh: bool) -> bool:
    """A look before the leap: reading takes no lock, and there is mostly nothing to do."""
    session = cast(Session, db.session())
    due = session.scalar(select(exists().where(_due(session, fresh))))
    db.session.remove()
    return bool(due)


def _claim(fresh: bool, limit: int, lease_seconds: float) -> list[Claim]:
    """Take due jobs, each for one worker alone; what another is just taking is passed over."""
    with transaction() as session:
        due = select(Job.key).where(_due(session, fresh)).order_by(Job.run_at, Job.key)
        taken = due.limit(limit).with_for_update(skip_locked=True).cte("due")
        claim = (
            update(Job)
            .where(Job.key.in_(select(taken.c.key)))
            .values(locked_until=clock(session, lease_seconds), attempts=Job.attempts + 1)
            .returning(Job.key, Job.kind, Job.args, Job.attempts, Job.run_at)
        )
        rows = session.execute(claim, execution_options={"synchronize_session": False}).all()
    ordered = sorted(rows, key=lambda row: (row.run_at, row.key))
    return [Claim(row.key, row.kind, row.args, row.attempts) for row in ordered]


def _due(session: Session, fresh: bool) -> ColumnElement[bool]:
    now = clock(session)
    return and_(
        Job.done_at.is_(None),
        Job.given_up_at.is_(None),
        Job.run_at <= now,
        or_(Job.locked_until.is_(None), Job.locked_until <= now),
        Job.attempts == 0 if fresh else Job.attempts > 0,
    )


def _do_all(
    registry: Registry, claims: list[Claim], lease_seconds: float, stopping: Callable[[], bool]
) -> int:
    claimed_at = time.monotonic()
    for number, claim in enumerate(claims):
        if stopping():
            records.hand_back([(it.key, it.attempt) for it in claims[number:]])
            return number
        late = time.monotonic() - claimed_at > lease_seconds / 2
        if not late or _renewed(claim, lease_seconds):
            _do(registry, claim)
    return len(claims)


def _renewed(claim: Claim, lease_seconds: float) -> bool:
    """Hold a job for a full lease again; False when it was lost to another worker meanwhile."""
    with transaction() as session:
        renewed = (
            update(Job)
            .where(Job.key == claim.key, Job.attempts == claim.attempt, Job.done_at.is_(None))
            .values(locked_until=clock(session, lease_seconds))
            .returning(Job.key)
        )
        return session.scalar(renewed) is not None


def _do(registry: Registry, claim: Claim) -> None:
    """Run one job and write down what came of it. Nothing that it raises gets out."""
    if claim.attempt > MAXIMUM_ATTEMPTS:
        records.give_up(claim.key, claim.attempt, "each worker that started it was killed")
        return
    begun = time.monotonic()
    with about.scope(job=claim.key) as found_out:
        outcome = _tried(registry, claim)
        seconds = time.monotonic() - begun
        counting.job(claim.kind, outcome, seconds)
        if outcome == "done":
            # Most runs of the schedule find nothing to do; one that did says so by what it bound.
            quiet = claim.key.startswith(RUN_PREFIX) and "did" not in found_out
            told = with_facts(attempt=claim.attempt, ms=round(seconds * 1000))
            log.log(logging.DEBUG if quiet else logging.INFO, "job done", extra=told)


def _tried(registry: Registry, claim: Claim) -> str:
    """Do it; what came of it, which is written down by then."""
    try:
        _function(registry, claim)(json.loads(claim.args))
    except GiveUp as error:
        records.give_up(claim.key, claim.attempt, str(error))
        return "given_up"
    except Exception as error:
        log.exception("job %s, attempt %d, failed", claim.key, claim.attempt)
        records.fail(claim.key, claim.attempt, f"{type(error).__name__}: {error}")
        return "failed"
    else:
        records.finish(claim.key)
        return "done"
    finally:
        db.session.remove()


def _function(registry: Registry, claim: Claim) -> Callable[[Args], None]:
    if claim.kind not in registry:  # perhaps promised by a newer version of the shop
        raise LookupError(f"no function does jobs of the kind {claim.kind!r}")
    return registry[claim.kind]
