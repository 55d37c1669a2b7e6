"""Things to do at their times, several at once where one takes long."""

import heapq
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

AT_ONCE = 8
"""Threads: a restart of a database takes its time."""

LOOK_SECONDS = 0.02


class Agenda:
    """Times are seconds since it was made. What is being done may put down more."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._lock = threading.Lock()

    @property
    def now(self) -> float:
        return time.monotonic() - self._begun

    def put(self, at: float, what: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._entries, (at, next(self._numbers), what))

    def carry_out(self) -> list[str]:
        """Do everything, and return when it is done; what could not be."""
        done: list[Future[None]] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while self._entries or not all(it.done() for it in done):
                what = self._due()
                if what is not None:
                    done.append(pool.submit(what))
                else:
                    time.sleep(LOOK_SECONDS)
        errors = [it.exception() for it in done]
        return [f"{type(error).__name__}: {error}" for error in errors if error is not None]

    def _due(self) -> Callable[[], None] | None:
        with self._lock:
            if self._entries and self._entries[0][0] <= self.now:
                return heapq.heappop(self._entries)[2]
        return None
