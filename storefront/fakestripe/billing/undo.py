"""A part of a transaction that is undone when it is refused, while the rest is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..account import Work


@contextmanager
def undone_on_error(work: Work) -> Iterator[None]:
    """Undo what was written inside when an exception leaves it.

    Records that the caller holds may then be stale: load them again.
    """
    work.tx.execute("SAVEPOINT part")
    hooks = len(work.tx.after_commit)
    try:
        yield
    except BaseException:
        work.tx.execute("ROLLBACK TO part")
        work.tx.execute("RELEASE part")
        work.tx.records.forget()
        del work.tx.after_commit[hooks:]
        raise
    work.tx.execute("RELEASE part")
