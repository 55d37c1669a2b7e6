"""Billing periods: calendar arithmetic in UTC, seconds since 1970.

Every boundary is counted from the anchor, never from the boundary before it, so that an anchor
on the 31st bills on the 28th of February and on the 31st of March again.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from ..errors import JSON

DAY_SECONDS = 24 * 3600
_FIXED = {"day": DAY_SECONDS, "week": 7 * DAY_SECONDS}
_MONTHS = {"month": 1, "year": 12}


def boundary(anchor: int, recurring: JSON, number: int) -> int:
    """Return the `number`-th boundary after the anchor (negative: before) of a price's rhythm."""
    interval, count = str(recurring["interval"]), int(recurring["interval_count"])
    if interval in _FIXED:
        return anchor + number * count * _FIXED[interval]
    return add_months(anchor, number * count * _MONTHS[interval])


def next_boundary(anchor: int, recurring: JSON, after: int) -> int:
    """Return the first boundary that is later than `after`."""
    number = _at_most(anchor, recurring, after)
    while boundary(anchor, recurring, number) <= after:
        number += 1
    return boundary(anchor, recurring, number)


def add_months(moment: int, months: int) -> int:
    """Return the same day and time some months later; a day the month lacks is its last day."""
    start = datetime.fromtimestamp(moment, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    day = min(start.day, monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def same_rhythm(one: JSON, other: JSON) -> bool:
    """Tell whether two prices are due equally often."""
    names = ("interval", "interval_count")
    return all(one[name] == other[name] for name in names)


def _at_most(anchor: int, recurring: JSON, after: int) -> int:
    """Return a number whose boundary is not later than `after`, and not much earlier."""
    interval, count = str(recurring["interval"]), int(recurring["interval_count"])
    longest = _FIXED.get(interval) or _MONTHS[interval] * 31 * DAY_SECONDS
    # Longest months make the estimate early, for a moment before the anchor late: hence the min.
    estimate = (after - anchor) // (longest * count)
    return estimate if estimate >= 0 else estimate * 2 - 1
