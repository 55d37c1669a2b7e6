"""The installments of a plan credit, and what a part of one is worth. Arithmetic alone.

Credits are whole. A part of one is dropped where credits are given for a part of a period, and
counted as one where unused time gives them back: a change of plan may cost a customer up to two
credits and can never bring one.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from storefront.catalog.plans import MONTHS
from storefront.subscriptions.tables import PlanCredit

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Installment:
    """`credits` for the time from `start` to `end` (UTC)."""

    start: datetime
    end: datetime
    credits: int


def installments(row: PlanCredit) -> list[Installment]:
    """All that the line brings, if it is not ended: at once, or one for each of its months. The
    first month may have begun before the line did; then it brings its part."""
    if row.installments == 1:
        return [Installment(row.period_start, row.period_end, row.credits)]
    return [
        Installment(
            max(start, row.period_start),
            end,
            share(row.credits, end - max(start, row.period_start), end - start),
        )
        for start, end in months(row.whole_start, row.period_start, row.period_end)
    ]


def next_start(row: PlanCredit) -> datetime | None:
    """When the first installment begins that is not done; None when there is none left, or the
    plan was given up before."""
    if row.done >= row.installments:
        return None
    start = installments(row)[row.done].start
    return None if row.ended_at is not None and start >= row.ended_at else start


def unused(row: PlanCredit, moment: datetime) -> int:
    """How many of its credits are for the time after `moment`: of the installments that are done,
    and of those that began before and are still to be done."""
    return sum(
        _share_rounded_up(each.credits, each.end - max(each.start, moment), each.end - each.start)
        for number, each in enumerate(installments(row))
        if each.end > moment and (number < row.done or each.start < moment)
    )


def months(
    whole_start: datetime, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """The months of the period from `whole_start` to `end` that are not over at `start`. They are
    the same ones for every line of that period, and the last one ends with it."""
    starts = [months_later(whole_start, number) for number in range(MONTHS["yearly"])]
    bounds = [*(each for each in starts if each < end), end]
    return [(begins, ends) for begins, ends in pairwise(bounds) if ends > start]


def months_later(moment: datetime, number: int) -> datetime:
    """The same day and time `number` months later (or earlier, below zero); a day that the month
    lacks is its last one, as Stripe has it."""
    years, month = divmod(moment.month - 1 + number, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def share(credits: int, part: timedelta, whole: timedelta) -> int:
    """The credits for a part of the time that all of them are for; rounded down."""
    return credits * (part // SECOND) // (whole // SECOND)


def _share_rounded_up(credits: int, part: timedelta, whole: timedelta) -> int:
    return -(-credits * (part // SECOND) // (whole // SECOND))
