"""Sums by the day (UTC): money that came in and went back, credits that were moved.

Finished days are summed up by the worker each hour and kept; what is not kept yet, today at least,
is summed when asked. So the overview costs the same however much a month brings. What is told late
about a kept day (a payment begun then, paid now) shows within the hour.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Text, and_, case, cast, func, select, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from storefront.db import STRICT, Base, Utc, db, insert, is_sqlite, transaction
from storefront.ledger import Transfer
from storefront.payments import Payment
from storefront.reversals import ACTIVE, Refund
from storefront.subscriptions import Invoice

DAYS = 30
"""How many the overview shows, today among them."""

A_DAY = timedelta(days=1)
Moneys = dict[str, dict[date, int]]
"""Currency -> day -> minor units."""

Moments = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
Row = tuple[date, str, int]


class DayFigures(Base):
    """One finished day, by the moment it began: `sums` is JSON, as Sums.of_day() makes it."""

    __tablename__ = "day_figures"
    __table_args__ = STRICT

    day: Mapped[datetime] = mapped_column(Utc, primary_key=True)
    sums: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Sums:
    """Money by currency and day, in minor units; `moved` is by how many credits wallets grew."""

    money_in: Moneys = field(default_factory=dict)
    refunds: Moneys = field(default_factory=dict)
    moved: dict[date, int] = field(default_factory=dict)

    def of_day(self, day: date) -> dict[str, Any]:
        """What there is of one day, as JSON has it."""
        return {
            "money_in": {it: days[day] for it, days in self.money_in.items() if day in days},
            "refunds": {it: days[day] for it, days in self.refunds.items() if day in days},
            "moved": self.moved.get(day, 0),
        }

    def add_day(self, day: date, sums: dict[str, Any]) -> None:
        """The other way round."""
        _add(self.money_in, ((day, *each) for each in sums["money_in"].items()))
        _add(self.refunds, ((day, *each) for each in sums["refunds"].items()))
        self.moved[day] = sums["moved"]


def read(session: Session, start: datetime) -> Sums:
    """All days from the one that begins at `start`: those that are kept, and from the first one
    that is not, what the rows say now."""
    sums, expected = Sums(), start
    kept = select(DayFigures).where(DayFigures.day >= start).order_by(DayFigures.day)
    for row in session.scalars(kept):
        if row.day != expected:
            break
        sums.add_day(row.day.date(), json.loads(row.sums))
        expected += A_DAY
    _sum_up(session, expected, sums)
    return sums


def keep(now: datetime) -> None:
    """Sum up every finished day that the overview shows, and keep that; again and again, for what
    was told late. The reading is done before the transaction, which only writes."""
    today = datetime.combine(now.date(), time(), UTC)
    start = today - (DAYS - 1) * A_DAY
    sums = Sums()
    _sum_up(db.session(), start, sums)
    finished = [start + number * A_DAY for number in range((today - start).days)]
    with transaction() as session:
        for day in finished:
            text = json.dumps(sums.of_day(day.date()), sort_keys=True)
            row = insert(session, DayFigures).values(day=day, sums=text)
            again = row.on_conflict_do_update(index_elements=["day"], set_={"sums": text})
            session.execute(again)


def day_of(session: Session, column: Moments) -> ColumnElement[date]:
    """The day in UTC. SQLite stores UTC text that begins with it; PostgreSQL groups by dates three
    times as fast as by texts."""
    if is_sqlite(session):
        return type_coerce(func.substr(type_coerce(column, Text), 1, 10), _DayText)
    return cast(func.timezone("UTC", column), Date)


class _DayText(TypeDecorator[date]):
    """2026-11-21 as a date."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


def _sum_up(session: Session, start: datetime, sums: Sums) -> None:
    """Payments by the day on which they were begun, invoices by the day on which they were paid,
    refunds by the day on which they were made, transfers by the day on which they were booked."""
    paid = and_(Payment.created_at >= start, Payment.amount_received > 0)
    payments = _by_day(session, Payment.created_at, Payment.currency, Payment.amount_received, paid)
    covered = and_(Invoice.paid_at >= start, Invoice.amount_paid > 0)
    invoices = _by_day(session, Invoice.paid_at, Invoice.currency, Invoice.amount_paid, covered)
    made = and_(Refund.created_at >= start, Refund.status.in_(ACTIVE))
    _add(sums.money_in, payments)
    _add(sums.money_in, invoices)
    _add(sums.refunds, _by_day(session, Refund.created_at, Refund.currency, Refund.amount, made))
    sums.moved.update(_moved(session, start))


def _moved(session: Session, start: datetime) -> dict[date, int]:
    signed = case((Transfer.target == Transfer.wallet, Transfer.credits), else_=-Transfer.credits)
    day = day_of(session, Transfer.created_at)
    query = select(day, func.sum(signed)).where(Transfer.created_at >= start).group_by(day)
    return {name: int(credits) for name, credits in session.execute(query)}


def _by_day(
    session: Session,
    moment: Moments,
    currency: InstrumentedAttribute[str],
    amount: InstrumentedAttribute[int],
    condition: ColumnElement[bool],
) -> list[Row]:
    day = day_of(session, moment)
    query = select(day, currency, func.sum(amount)).where(condition).group_by(day, currency)
    return [(name, code, int(total)) for name, code, total in session.execute(query)]


def _add(moneys: Moneys, rows: Iterable[Row]) -> None:
    for day, currency, amount in rows:
        days = moneys.setdefault(currency, {})
        days[day] = days.get(day, 0) + amount
