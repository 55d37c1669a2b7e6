"""Work promised inside a transaction and done after it, at least once, by any worker.

promise() writes a job beside the change that asks for it; both commit, or neither. work_once()
claims due jobs under a lease and does them, work() goes on until it is told to stop. A worker that
dies costs the rest of its lease, never a job. A function may run more than once for one job, and
at the same time as another run of it: every one of them is idempotent.
"""

from storefront.jobs.promises import Job, promise
from storefront.jobs.records import GiveUp, listed, prune, retry
from storefront.jobs.runs import EntryState, Incomplete, ScheduleRun, recorded, schedule_state
from storefront.jobs.schedule import RUN_PREFIX, Scheduled, plan
from storefront.jobs.worker import Stop, Worker
from storefront.jobs.working import LEASE_SECONDS, MAXIMUM_ATTEMPTS, Args, Registry, work_once

__all__ = [
    "LEASE_SECONDS",
    "MAXIMUM_ATTEMPTS",
    "RUN_PREFIX",
    "Args",
    "EntryState",
    "GiveUp",
    "Incomplete",
    "Job",
    "Registry",
    "ScheduleRun",
    "Scheduled",
    "Stop",
    "Worker",
    "listed",
    "plan",
    "promise",
    "prune",
    "recorded",
    "retry",
    "schedule_state",
    "work_once",
]
