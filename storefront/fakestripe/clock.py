"""The stand-in's clock: real time plus an offset that only grows."""

from __future__ import annotations

import threading
import time

from .store import Store

_OFFSET = "clock_offset_seconds"


class Clock:
    """Tells the stand-in's time in seconds since 1970; survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        with store.reading() as tx:
            self._offset = float(tx.meta(_OFFSET) or 0)

    def time(self) -> float:
        """Return now, in seconds with fractions."""
        return time.time() + self._offset

    def now(self) -> int:
        """Return now in whole seconds, as Stripe's `created`."""
        return int(self.time())

    def offset(self) -> float:
        """Return how many seconds this clock is ahead of real time."""
        return self._offset

    def jump_to(self, moment: float) -> None:
        """Move forward to `moment`; a moment already past changes nothing."""
        with self._lock:
            self._raise(self._offset + moment - self.time())

    def run_ahead(self, offset: float) -> None:
        """Be `offset` seconds ahead of real time; a clock further ahead already stays."""
        with self._lock:
            self._raise(offset)

    def reset(self) -> None:
        """Go back to real time, together with the removal of everything that was dated."""
        with self._lock:
            self._set(0.0)

    def _raise(self, offset: float) -> None:
        if offset > self._offset:
            self._set(offset)

    def _set(self, offset: float) -> None:
        with self._store.writing() as tx:
            tx.set_meta(_OFFSET, repr(offset))
        self._offset = offset
