"""What is done again and again: a run is a job with a unique key per period, promised by whichever
worker comes first. After a long stop only the current period's run is made up for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storefront.jobs.promises import promise

RUN_PREFIX = "run:"


@dataclass(frozen=True)
class Scheduled:
    """Have `function` called once in each `interval`, which counts from the start of 1970."""

    name: str
    interval: timedelta
    function: Callable[..., None]

    def period(self, now: datetime) -> datetime:
        """When the period began that `now` (UTC) is in."""
        seconds = int(self.interval.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    def key(self, now: datetime) -> str:
        """Names the run of the period that `now` (UTC) is in."""
        return f"{RUN_PREFIX}{self.name}:{self.period(now):%Y-%m-%dT%H:%M:%SZ}"


def plan(session: Session, schedule: Sequence[Scheduled], now: datetime) -> int:
    """Promise each entry's run of the current period, unless another worker did; how many. The
    job's kind is the entry's name."""
    return sum(promise(session, each.name, {}, key=each.key(now)) for each in schedule)
