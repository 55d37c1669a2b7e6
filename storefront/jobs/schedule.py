"""What is done again and again: a run is a job with a unique key per period, promised by whichever
worker comes first. After a long stop only the current period's run is made up for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storefront.jobs.promises import promise

RUN_PREFIX = "run:"


@dataclass(frozen=True)
class Every:
    """Do the jobs of this kind once in each `interval`, which counts from the start of 1970."""

    interval: timedelta
    kind: str

    def period(self, now: datetime) -> datetime:
        """The beginning of the period that `now` is in."""
        seconds = int(self.interval.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    def key(self, now: datetime) -> str:
        return f"{RUN_PREFIX}{self.kind}:{self.period(now):%Y-%m-%dT%H:%M:%SZ}"


def plan(session: Session, schedule: Sequence[Every], now: datetime) -> int:
    """Promise each entry's run of the current period, unless another worker did; how many."""
    return sum(promise(session, each.kind, {}, key=each.key(now)) for each in schedule)
