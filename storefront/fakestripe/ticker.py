"""What happens by itself when the clock has moved: timers, retries, forgetting."""

from __future__ import annotations

import logging
import sqlite3
import threading

from . import idempotency
from .account import Account, Work
from .nouns import TIMERS
from .store import Transaction

TICK_SECONDS = 0.1
PRUNE_EVERY_TICKS = 600
RETRY_PATIENCE_SECONDS = 30.0
_log = logging.getLogger("fakestripe")
_running = threading.Lock()  # a tick and an advance must not run one timer twice


class Ticker:
    """A thread that runs due timers as time goes by."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ticker", daemon=True)

    def start(self) -> None:
        """Start ticking; timers that came due while nothing ran go first."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the timer that is running."""
        self._stopping.set()
        self._thread.join(1.0)

    def _work(self) -> None:
        ticks = 0
        while not self._stopping.wait(TICK_SECONDS):
            try:
                run_due_timers(self._account, self._account.clock.time())
                if ticks % PRUNE_EVERY_TICKS == 0:
                    _prune(self._account)
            except sqlite3.Error:  # a busy file now is no reason never to tick again
                _log.exception("a tick failed")
            ticks += 1


def advance(account: Account, seconds: float) -> None:
    """Move the clock forward and do everything that comes due on the way, in its order.

    Timers see the moment they were set for. Deliveries that come due are each tried once before
    this returns.
    """
    offset = account.clock.offset() + seconds
    run_due_timers(account, account.clock.time() + seconds, stepping=True)
    account.clock.run_ahead(offset)
    _prune(account)
    account.deliverer.wait(RETRY_PATIENCE_SECONDS, due_only=True)


def run_due_timers(account: Account, until: float, stepping: bool = False) -> None:
    """Run the timers due by `until`, oldest first; with `stepping` the clock goes along."""
    with _running:
        while (timer := _next_timer(account, until)) is not None:
            id, due, kind, object_id = timer
            if stepping:
                account.clock.jump_to(due)
            try:
                with account.store.writing() as tx:
                    _forget(tx, id)
                    TIMERS[kind](Work(account, tx), object_id)
            except Exception:  # noqa: BLE001  one bad timer must not end all later ones
                _log.exception("timer %s of %s failed and is dropped", kind, object_id)
                with account.store.writing() as tx:
                    _forget(tx, id)


def _next_timer(account: Account, until: float) -> tuple[int, float, str, str] | None:
    with account.store.reading() as tx:
        found: tuple[int, float, str, str] | None = tx.execute(
            "SELECT id, due, kind, object FROM timers WHERE due <= ? ORDER BY due, id LIMIT 1",
            (until,),
        ).fetchone()
    return found


def _forget(tx: Transaction, id: int) -> None:
    tx.execute("DELETE FROM timers WHERE id = ?", (id,))


def _prune(account: Account) -> None:
    with account.store.writing() as tx:
        idempotency.prune(tx, account.clock.time())
