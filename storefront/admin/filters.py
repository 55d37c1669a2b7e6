"""What operators type into filters, read: each bad input gets a sentence that says what would be
right. An empty field filters nothing."""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from storefront.errors import BadInput
from storefront.money import ZERO_DECIMAL

LONGEST_TEXT = 300
AMOUNT = re.compile(r"\$?([0-9]{1,8})(?:\.([0-9]{1,2}))?", re.ASCII)


def text(given: str | None) -> str | None:
    """Something typed in, trimmed; None when there is nothing. Raises BadInput."""
    typed = (given or "").strip()
    if len(typed) > LONGEST_TEXT or not typed.isprintable():
        raise BadInput(f"Type at most {LONGEST_TEXT} plain characters.")
    return typed or None


def choice(name: str, given: str | None, allowed: Collection[str]) -> str | None:
    """One of the words of a list. Raises BadInput that names them."""
    typed = text(given)
    if typed is not None and typed not in allowed:
        raise BadInput(f"{name} can be {', '.join(allowed)}; it cannot be {typed!r}.")
    return typed


def since(given: str | None) -> datetime | None:
    """The beginning of a day (UTC). Raises BadInput."""
    day = _day("From", given)
    return None if day is None else datetime.combine(day, time(), UTC)


def until(given: str | None) -> datetime | None:
    """The end of a day (UTC): the first moment that is not wanted any more. Raises BadInput."""
    day = _day("To", given)
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), UTC)


def moment(given: str | None, now: datetime) -> datetime | None:
    """A moment (UTC, unless it says otherwise) that is not still to come. Raises BadInput."""
    typed = text(given)
    if typed is None:
        return None
    try:
        at = datetime.fromisoformat(typed)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{typed!r} is no time. Write it such as 2027-01-31 or 2027-01-31T12:00."
        ) from None
    if at > now:
        raise BadInput("That time is still to come; nothing is known of it yet.")
    return at


def between(
    column: InstrumentedAttribute[datetime], first: datetime | None, last: datetime | None
) -> list[ColumnElement[bool]]:
    """From `first` on, and before `last`."""
    found: list[ColumnElement[bool]] = []
    if first is not None:
        found.append(column >= first)
    if last is not None:
        found.append(column < last)
    return found


def amount(
    given: str | None,
    amounts: InstrumentedAttribute[int],
    currencies: InstrumentedAttribute[str],
) -> ColumnElement[bool] | None:
    """A price as people write it, 10 or 10.50, in whatever currency. Raises BadInput."""
    typed = text(given)
    if typed is None:
        return None
    found = AMOUNT.fullmatch(typed)
    if not found:
        raise BadInput(f"{typed!r} is no amount. Write it such as 10 or 10.50.")
    whole, cents = int(found[1]), int((found[2] or "0").ljust(2, "0"))
    in_cents = and_(amounts == whole * 100 + cents, currencies.not_in(ZERO_DECIMAL))
    if cents:
        return in_cents
    return or_(in_cents, and_(amounts == whole, currencies.in_(ZERO_DECIMAL)))


def _day(name: str, given: str | None) -> date | None:
    typed = text(given)
    if typed is None:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise BadInput(
            f"{name}: {typed!r} is no day. Write the year, the month and the day, as in 2027-01-31."
        ) from None
    if not 1970 <= day.year < 9999:
        raise BadInput(f"{name}: choose a year between 1970 and 9998.")
    return day
