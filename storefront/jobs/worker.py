"""The worker's loop: look for work, do it, wait a moment; end cleanly when told to."""

import logging
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from storefront.db import db, transaction, utcnow
from storefront.jobs.schedule import Scheduled, plan
from storefront.jobs.working import LEASE_SECONDS, Registry, work_once

POLL_SECONDS = 0.5
LOOK_SECONDS = 0.1
"""How soon who waits notices that it is told to stop."""

TROUBLE_SECONDS = 5
"""How long to wait before asking a database again that did not answer."""

log = logging.getLogger(__name__)


class Stop:
    """Told by SIGTERM or SIGINT, while it is entered, that it is time to end; the job in hand is
    finished first. A plain flag: a signal that comes while an Event's lock is held, and sets that
    Event, waits for itself."""

    def __init__(self) -> None:
        self._told_to = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._told_to and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))

    def __call__(self) -> bool:
        return self._told_to

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to = True


@dataclass
class Worker:
    """Does due jobs and the schedule's runs until `stop`; any number of them share the work."""

    registry: Registry
    schedule: Sequence[Scheduled] = ()
    lease_seconds: float = LEASE_SECONDS
    stop: Stop = field(default_factory=Stop)
    _planned: tuple[str, ...] = ()

    def run(self) -> None:
        """Until told to stop. A database that does not answer is waited for."""
        while not self.stop():
            try:
                idle = self.turn() == 0
            except SQLAlchemyError:
                log.exception("the database does not answer; trying again soon")
                db.session.remove()
                self.stop.wait(TROUBLE_SECONDS)
                continue
            if idle:
                self.stop.wait(POLL_SECONDS)

    def turn(self) -> int:
        """Plan what the schedule asks for, do what is due; how many jobs were started."""
        self._plan()
        return work_once(self.registry, lease_seconds=self.lease_seconds, stopping=self.stop)

    def drain(self) -> int:
        """Do everything that is due now, and return; how many jobs were started."""
        total = 0
        while not self.stop() and (started := self.turn()):
            total += started
        return total

    def _plan(self) -> None:
        """Only when a period has begun: most turns write nothing."""
        now = utcnow()
        keys = tuple(each.key(now) for each in self.schedule)
        if keys == self._planned:
            return
        with transaction() as session:
            plan(session, self.schedule, now)
        self._planned = keys
        db.session.remove()
