"""What the schedule asks for: the same again and again, in small transactions."""

from collections.abc import Callable
from itertools import count

from sqlalchemy.orm import Session

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


def in_batches(
    step: Callable[[Session], int],
    size: int = BATCH,
    *,
    most: int | None = None,
    did: str | None = None,
) -> None:
    """Take a step, each time in a transaction of its own, until it finds less than `size` to do or
    was taken `most` times. The log is told how many it did, as `did` names them."""
    total = 0
    for _ in range(most) if most else count():
        with transaction() as session:
            done = step(session)
        total += done
        if did and total:
            about.bind(did=f"{total} {did}")
        if done < size:
            return


def expire_credits(_context: Context, _args: Args) -> None:
    """Take back what remains of lots whose time has come."""
    now = utcnow()
    in_batches(lambda session: ledger.expire_due(session, now, BATCH), did="lots expired")


def seal_ledger(_context: Context, _args: Args) -> None:
    """Chain what moved since the last run by hashes, for `flask ledger verify`."""
    in_batches(
        lambda session: ledger.seal(session, SEALS_AT_ONCE),
        SEALS_AT_ONCE,
        most=SEAL_BATCHES,
        did="transfers sealed",
    )


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
    in_batches(lambda session: sessions.prune(session, BATCH))


def prune_jobs(_context: Context, _args: Args) -> None:
    """Delete done jobs that nobody needs any more."""
    in_batches(lambda session: jobs.prune(session, BATCH))
