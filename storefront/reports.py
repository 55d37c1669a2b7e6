"""Reports: what went into and out of a customer's wallet, month by month, read off the ledger."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Text, case, func, select, type_coerce
from sqlalchemy.orm import Session

from storefront.db import is_sqlite
from storefront.ledger import Transfer, wallet_id

MONTHS = 12


@dataclass(frozen=True)
class Month:
    """Credits that moved within one calendar month (UTC); `first` is its first day."""

    first: date
    received: int
    used: int


def by_month(session: Session, user_id: str, now: datetime, months: int = MONTHS) -> list[Month]:
    """The last `months` calendar months up to `now`, newest first, the quiet ones among them; one
    query."""
    wanted = _last_months(now.date(), months)
    wallet = wallet_id(user_id)
    month = _month_of(session)
    received = case((Transfer.target == wallet, Transfer.credits), else_=0)
    query = (
        select(month, func.sum(received), func.sum(Transfer.credits - received))
        .where(Transfer.wallet == wallet, month >= f"{wanted[-1]:%Y-%m}")
        .group_by(month)
    )
    moved = {name: (int(came), int(went)) for name, came, went in session.execute(query)}
    return [Month(first, *moved.get(f"{first:%Y-%m}", (0, 0))) for first in wanted]


def _month_of(session: Session) -> ColumnElement[str]:
    """2026-11, in UTC: SQLite stores UTC text that begins so."""
    if is_sqlite(session):
        return func.substr(type_coerce(Transfer.happened_at, Text), 1, 7)
    return func.to_char(func.timezone("UTC", Transfer.happened_at), "YYYY-MM")


def _last_months(today: date, count: int) -> list[date]:
    """The first days of the last `count` months, newest first."""
    newest = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(newest, newest - count, -1)]
