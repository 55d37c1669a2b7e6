"""The figures of the overview: what came in, what went back, what is owed in credits, what is
subscribed, each by the day; and how the shop's machinery does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    ColumnElement,
    Date,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeDecorator

from storefront.db import is_sqlite
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import Account, Transfer
from storefront.payments import Payment
from storefront.prices import StripePrice
from storefront.reversals import ACTIVE, Refund
from storefront.subscriptions import Invoice, Subscription

DAYS = 30
PAYING = ("active", "past_due")
"""Subscriptions that count: a trial pays nothing yet, an unpaid or a paused one no longer."""

Moneys = dict[str, dict[date, int]]
"""Currency -> day -> minor units."""


@dataclass(frozen=True)
class Series:
    """One value for each of the days, oldest first; the last one is today's, so far."""

    days: tuple[date, ...]
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.values)

    @property
    def last(self) -> int:
        return self.values[-1]


@dataclass(frozen=True)
class Figures:
    """Money in minor units of `currency`, the one that most came in; `others` says what came in and
    went back in each other one. `owed` are the debts of customers, which `outstanding` is less of.
    """

    currency: str
    money_in: Series
    refunds: Series
    outstanding: Series
    owed: int
    subscriptions: Series
    mrr: Series
    others: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Health:
    """What waits or went wrong. `oldest` is when the longest waiting job was due."""

    failed_events: int
    parked_events: int
    waiting_jobs: int
    given_up_jobs: int
    oldest: datetime | None


def figures(session: Session, now: datetime, currency: str, days: int = DAYS) -> Figures:
    """The last `days` days up to `now` (UTC); `currency` is the one to show if nothing came in."""
    shown = tuple(now.date() - timedelta(days=ago) for ago in range(days - 1, -1, -1))
    start = datetime.combine(shown[0], time(), UTC)
    money_in, refunds = _money_in(session, start), _refunds(session, start)
    main = max(money_in, key=lambda it: sum(money_in[it].values()), default=currency)
    outstanding, owed = _outstanding(session, start, shown)
    subscriptions, mrr = _subscriptions(session, start, shown, main)
    others = sorted((set(money_in) | set(refunds)) - {main})
    return Figures(
        main,
        _flow(money_in.get(main, {}), shown),
        _flow(refunds.get(main, {}), shown),
        outstanding,
        owed,
        subscriptions,
        mrr,
        {it: (_sum(money_in, it), _sum(refunds, it)) for it in others},
    )


def health(session: Session, now: datetime) -> Health:
    """How many events failed, and what work waits that is due."""
    count = func.count()
    unsettled = select(StripeEvent.state, count).where(StripeEvent.state.in_(("failed", "parked")))
    rows = session.execute(unsettled.group_by(StripeEvent.state))
    events: dict[str, int] = {row[0]: row[1] for row in rows}
    open_jobs = and_(Job.done_at.is_(None), Job.given_up_at.is_(None), Job.run_at <= now)
    waiting, oldest = session.execute(select(count, func.min(Job.run_at)).where(open_jobs)).one()
    given_up = and_(Job.given_up_at.is_not(None), Job.done_at.is_(None))
    return Health(
        events.get("failed", 0),
        events.get("parked", 0),
        waiting,
        session.scalar(select(count).where(given_up)) or 0,
        oldest,
    )


def _money_in(session: Session, start: datetime) -> Moneys:
    """Payments by the day on which they were begun, invoices by the day on which they were paid."""
    paid = and_(Payment.created_at >= start, Payment.amount_received > 0)
    payments = _by_day(session, Payment.created_at, Payment.currency, Payment.amount_received, paid)
    covered = and_(Invoice.paid_at >= start, Invoice.amount_paid > 0)
    invoices = _by_day(session, Invoice.paid_at, Invoice.currency, Invoice.amount_paid, covered)
    return _added(payments, invoices)


def _refunds(session: Session, start: datetime) -> Moneys:
    made = and_(Refund.created_at >= start, Refund.status.in_(ACTIVE))
    return _added(_by_day(session, Refund.created_at, Refund.currency, Refund.amount, made))


Row = tuple[date, str, int]


def _by_day(
    session: Session,
    moment: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    currency: InstrumentedAttribute[str],
    amount: InstrumentedAttribute[int],
    condition: ColumnElement[bool],
) -> list[Row]:
    day = _day_of(session, moment)
    query = select(day, currency, func.sum(amount)).where(condition).group_by(day, currency)
    return [(day, code, int(total)) for day, code, total in session.execute(query)]


def _added(*lists: Iterable[Row]) -> Moneys:
    found: Moneys = {}
    for rows in lists:
        for day, currency, amount in rows:
            days = found.setdefault(currency, {})
            days[day] = days.get(day, 0) + amount
    return found


def _outstanding(
    session: Session, start: datetime, days: tuple[date, ...]
) -> tuple[Series, int]:  # fmt: skip
    """What all wallets hold now, less, day by day backwards, what was moved since."""
    wallets = Account.kind == "wallet"
    debt = case((Account.balance < 0, -Account.balance), else_=0)
    sums = select(func.coalesce(func.sum(Account.balance), 0), func.coalesce(func.sum(debt), 0))
    total, owed = session.execute(sums.where(wallets)).one()
    signed = case((Transfer.target == Transfer.wallet, Transfer.credits), else_=-Transfer.credits)
    day = _day_of(session, Transfer.created_at)
    moved = select(day, func.sum(signed)).where(Transfer.created_at >= start).group_by(day)
    changes = {day: int(credits) for day, credits in session.execute(moved)}
    return _stock(int(total), changes, days), int(owed)


def _subscriptions(
    session: Session, start: datetime, days: tuple[date, ...], currency: str
) -> tuple[Series, Series]:
    """How many there are, and what they bring in a month, by the prices that they have now; of
    those that ended since, by the ones that they had last."""
    began, ended = (
        _day_of(session, Subscription.started_at),
        _day_of(session, Subscription.ended_at),
    )
    over = and_(Subscription.status == "canceled", Subscription.ended_at >= start)
    old = Subscription.started_at < start
    fresh, gone = case((old, None), else_=began), case((over, ended), else_=None)
    monthly = case((StripePrice.interval == "yearly", 1), else_=12) * StripePrice.amount
    counted = case((StripePrice.currency == currency, monthly * Subscription.quantity), else_=0)
    query = (
        select(fresh, gone, func.count(), func.coalesce(func.sum(counted), 0))
        .outerjoin(StripePrice, StripePrice.id == Subscription.stripe_price_id)
        .where(or_(Subscription.status.in_(PAYING), over))
        .group_by(fresh, gone)
    )
    now_count = now_yearly = 0
    counts: dict[date, int] = {}
    yearly: dict[date, int] = {}
    for first, last, number, amount in session.execute(query):
        for day, sign in ((first, 1), (last, -1)):
            if day is not None:
                counts[day] = counts.get(day, 0) + sign * number
                yearly[day] = yearly.get(day, 0) + sign * int(amount)
        if last is None:
            now_count, now_yearly = now_count + number, now_yearly + int(amount)
    a_year = _stock(now_yearly, yearly, days)
    mrr = Series(days, tuple(value // 12 for value in a_year.values))
    return _stock(now_count, counts, days), mrr


def _flow(by_day: Mapping[date, int], days: tuple[date, ...]) -> Series:
    return Series(days, tuple(by_day.get(day, 0) for day in days))


def _stock(now: int, changes: Mapping[date, int], days: tuple[date, ...]) -> Series:
    """What there was at the end of each day, counted back from what there is now."""
    values = []
    for day in reversed(days):
        values.append(now)
        now -= changes.get(day, 0)
    return Series(days, tuple(reversed(values)))


def _sum(moneys: Moneys, currency: str) -> int:
    return sum(moneys.get(currency, {}).values())


def _day_of(
    session: Session,
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
) -> ColumnElement[date]:
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
