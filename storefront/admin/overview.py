"""The figures of the overview: what came in, what went back, what is owed in credits, what is
subscribed, each by the day; and how the shop's machinery does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from storefront.admin.days import DAYS, Moneys, day_of, read
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import Account
from storefront.prices import StripePrice
from storefront.subscriptions import Subscription

PAYING = ("active", "past_due")
"""Subscriptions that count: a trial pays nothing yet, an unpaid or a paused one no longer."""


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
    sums = read(session, start)
    money_in, refunds = sums.money_in, sums.refunds
    main = max(money_in, key=lambda it: sum(money_in[it].values()), default=currency)
    outstanding, owed = _outstanding(session, sums.moved, shown)
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


def _outstanding(
    session: Session, moved: Mapping[date, int], days: tuple[date, ...]
) -> tuple[Series, int]:
    """What all wallets hold now, less, day by day backwards, what was moved since."""
    wallets = Account.kind == "wallet"
    debt = case((Account.balance < 0, -Account.balance), else_=0)
    sums = select(func.coalesce(func.sum(Account.balance), 0), func.coalesce(func.sum(debt), 0))
    total, owed = session.execute(sums.where(wallets)).one()
    return _stock(int(total), moved, days), int(owed)


def _subscriptions(
    session: Session, start: datetime, days: tuple[date, ...], currency: str
) -> tuple[Series, Series]:
    """How many there are, and what they bring in a month, by the prices that they have now; of
    those that ended since, by the ones that they had last."""
    began, ended = (
        day_of(session, Subscription.started_at),
        day_of(session, Subscription.ended_at),
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
