"""What the schedule asks for: the same again and again, in small transactions."""

from storefront import jobs, ledger, sessions
from storefront.admin import days
from storefront.db import db, transaction, utcnow
from storefront.jobs import Args
from storefront.observing import about
from storefront.work.context import Context

BATCH = 100
SEALS_AT_ONCE = 1_000
SEAL_BATCHES = 50
"""In one run, which must end within its lease; the next run goes on."""


def expire_credits(_context: Context, _args: Args) -> None:
    """Take back what remains of lots whose time has come."""
    now, total = utcnow(), 0
    while True:
        with transaction() as session:
            expired = ledger.expire_due(session, now, BATCH)
        total += expired
        if total:
            about.bind(did=f"{total} lots expired")
        if expired < BATCH:
            return


def seal_ledger(_context: Context, _args: Args) -> None:
    """Chain what moved since the last run by hashes, for `flask ledger verify`."""
    total = 0
    for _ in range(SEAL_BATCHES):
        with transaction() as session:
            sealed = ledger.seal(session, SEALS_AT_ONCE)
        total += sealed
        if total:
            about.bind(did=f"{total} transfers sealed")
        if sealed < SEALS_AT_ONCE:
            return


def sum_up_days(_context: Context, _args: Args) -> None:
    """Keep what each finished day brought, for the operators' overview."""
    days.keep(utcnow())


def verify_ledger(_context: Context, _args: Args) -> None:
    """Recompute every balance from the transfers. What differs is shown with the schedule until a
    later run finds nothing; `flask ledger verify` names all of it."""
    wrong = ledger.verify(db.session())
    if wrong:
        first = f"{wrong[0].account}: {wrong[0].finding}"
        raise jobs.Incomplete(f"The books differ in {len(wrong)} places. {first}")


def prune_sessions(_context: Context, _args: Args) -> None:
    """Forget ended sessions whose cookies have run out."""
    while True:
        with transaction() as session:
            if sessions.prune(session, BATCH) < BATCH:
                return


def prune_jobs(_context: Context, _args: Args) -> None:
    """Delete done jobs that nobody needs any more."""
    while True:
        with transaction() as session:
            if jobs.prune(session, BATCH) < BATCH:
                return
