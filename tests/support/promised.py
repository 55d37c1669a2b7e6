"""Promising jobs and reading them, for tests."""

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from storefront import jobs, work
from storefront.db import db, transaction, utcnow
from storefront.jobs import Job, Registry
from storefront.web import current


def promised(
    app: Flask, kind: str, key: str, *, run_at: datetime | None = None, **args: Any
) -> bool:
    with app.app_context(), transaction() as session:
        return jobs.promise(session, kind, args, key=key, run_at=run_at)


def states(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {job.key: job.state(utcnow()) for job in db.session.scalars(select(Job))}


def row(app: Flask, key: str) -> dict[str, Any]:
    with app.app_context():
        found = db.session.execute(text("SELECT * FROM jobs WHERE key = :key"), {"key": key})
        return dict(found.mappings().one())


def works(app: Flask, registry: Registry, **options: Any) -> int:
    """One turn of a worker without a schedule."""
    with app.app_context():
        return jobs.work_once(registry, **options)


def do_work(app: Flask) -> int:
    """What the shop's own worker would do now, with all that this promises; how many jobs were
    started. What fails waits for a later call."""
    with app.app_context():
        registry = work.registry(current.work_context())
    total = 0
    while started := works(app, registry):
        total += started
    return total


def due_now(app: Flask, key: str) -> None:
    """As if the time until the next attempt, or the lease, had passed."""
    past = datetime(2026, 1, 1, tzinfo=UTC)
    with app.app_context(), transaction() as session:
        job = session.get_one(Job, key, populate_existing=True)
        job.run_at = past
        job.locked_until = job.locked_until and past
