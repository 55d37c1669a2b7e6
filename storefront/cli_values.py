"""What the flask commands read from their options: ages and times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from storefront.db import utcnow


class Age(click.ParamType[timedelta]):
    """Such as 90d, 12h, 30m."""

    name = "age"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,5})([dhm])", value)
        if not found:
            self.fail(f"{value!r} is not an age; write such as 90d, 12h or 30m.", param, ctx)
        unit = {"d": "days", "h": "hours", "m": "minutes"}[found[2]]
        return timedelta(**{unit: int(found[1])})


class Moment(click.ParamType[datetime]):
    """A time in UTC unless it says otherwise, or an age before now."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if re.fullmatch(r"[0-9]{1,5}[dhm]", value):
            return utcnow() - Age().convert(value, param, ctx)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; write such as 2026-11-20T12:00 (UTC) or 3d.")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def minute(moment: datetime) -> str:
    """A time as commands show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def plain(text: str) -> str:
    """Printable on one line: what comes from outside must not steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
