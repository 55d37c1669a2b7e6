"""What the schedule asks for: the same again and again, in small transactions."""

from storefront import jobs, ledger
from storefront.db import transaction, utcnow
from storefront.jobs import Args
from storefront.work.context import Context

BATCH = 100


def expire_credits(_context: Context, _args: Args) -> None:
    """Take back what remains of lots whose time has come."""
    now = utcnow()
    while True:
        with transaction() as session:
            if ledger.expire_due(session, now, BATCH) < BATCH:
                return


def prune_jobs(_context: Context, _args: Args) -> None:
    """Delete done jobs that nobody needs any more."""
    while True:
        with transaction() as session:
            if jobs.prune(session, BATCH) < BATCH:
                return
