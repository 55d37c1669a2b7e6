"""Any sequence of plan changes, against an oracle that counts exact fractions of time and knows
nothing of rows, lines or rounding."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storefront.stripe_gateway import InvoiceLine
from tests.subscriptions.paper import HOUR, PaperShop, a_line, at
from tests.support import books
from tests.support.lots import assert_lots_add_up
from tests.support.thoroughness import usually

CREDITS = {"plain": 0, "basic": 1000, "pro": 3000, "lasting": 2000}
BEGINNINGS = [at("2031-01-31 10:00"), at("2032-02-29"), at("2031-04-01"), at("2034-12-30 23:00")]


@dataclass(frozen=True)
class Offer:
    plan: str
    interval: str
    quantity: int = 1

    @property
    def price(self) -> str:
        return f"{self.plan}_{self.interval}"


@dataclass
class Piece:
    """Credits that come at `start`, for the time until `end`."""

    start: datetime
    end: datetime
    credits: Fraction
    come: bool = False


@dataclass
class Oracle:
    """What a customer is entitled to at any moment, and the most that it ever was: that is what
    should have been granted, for what was granted is not taken back but waited for."""

    entitled: Fraction = Fraction(0)
    most: Fraction = Fraction(0)
    pieces: list[Piece] = field(default_factory=list)

    def time_passes(self, moment: datetime) -> None:
        for piece in self.pieces:
            if not piece.come and piece.start <= moment:
                self.comes(piece)

    def begins(self, offer: Offer, whole: datetime, start: datetime, end: datetime) -> None:
        credits = Fraction(CREDITS[offer.plan] * offer.quantity)
        if offer.interval == "monthly":
            bounds = [whole, end]
        elif offer.plan == "pro":
            bounds, credits = [whole, end], credits * 12
        else:
            bounds = [later(whole, number) for number in range(12)] + [end]
        self.pieces = [
            Piece(max(a, start), b, credits * ratio(b - max(a, start), b - a))
            for a, b in pairwise(bounds)
            if b > start
        ]
        self.comes(self.pieces[0])

    def ends(self, moment: datetime) -> None:
        for piece in self.pieces:
            if piece.come and piece.end > moment:
                unused = ratio(piece.end - moment, piece.end - piece.start)
                self.entitled -= piece.credits * unused
        self.pieces = []

    def comes(self, piece: Piece) -> None:
        piece.come = True
        self.entitled += piece.credits
        self.most = max(self.most, self.entitled)


@dataclass
class Story:
    """One customer at Stripe, changing plans; each invoice is credited in a shop. The worker that
    grants installments is always in time, or never before the end."""

    shop: PaperShop
    in_time: bool
    now: datetime
    oracle: Oracle = field(default_factory=Oracle)
    offer: Offer | None = None
    number: int = 0
    lines: int = 0
    anchor: datetime = field(init=False)
    start: datetime = field(init=False)
    end: datetime = field(init=False)

    def subscribes(self, offer: Offer) -> None:
        self.number += 1
        self.shop.subscribed(self.name)
        self._bill(self._whole(offer, self.now))

    def waits(self, hours: int) -> None:
        """Time passes; what runs out is renewed."""
        until = self.now + hours * HOUR
        while self.offer is not None and self.end <= until:
            self.now = self.end
            number = 1
            while period_end(self.offer, self.anchor, number) <= self.end:
                number += 1
            end = period_end(self.offer, self.anchor, number)
            self._bill([self._line(self.offer, self.end, end)], self.anchor)
        self.now = until

    def changes(self, offer: Offer) -> None:
        assert self.offer is not None
        back = self._unused()
        self._time_passes()
        self.oracle.ends(self.now)
        if offer.interval != self.offer.interval:
            self._bill([back, *self._whole(offer, self.now)])
            return
        rest = self._line(offer, self.now, self.end, proration=True)
        self.oracle.begins(offer, self.start, self.now, self.end)
        self.offer = offer
        self._pay([rest, back])

    def cancels(self, *, gives_back: bool) -> None:
        self._time_passes()
        if gives_back:
            self.oracle.ends(self.now)
            self.shop.subscribed(self.name, "canceled", self.now)
            self._pay([self._unused()])
        else:
            self.shop.subscribed(self.name, "canceled", self.now)
            self.oracle.pieces = []
        self.offer = None

    def finishes(self) -> None:
        self._time_passes()
        self.shop.grants(self.now)

    @property
    def name(self) -> str:
        return f"sub_{self.number}"

    def _whole(self, offer: Offer, start: datetime) -> list[InvoiceLine]:
        end = period_end(offer, start, 1)
        self.offer, self.anchor, self.end = offer, start, end
        return [self._line(offer, start, end)]

    def _bill(self, lines: list[InvoiceLine], anchor: datetime | None = None) -> None:
        """A whole period begins, with the last of the lines."""
        assert self.offer is not None
        self._time_passes()
        self.start, self.end = lines[-1].period_start, lines[-1].period_end
        self.oracle.begins(self.offer, self.start, self.start, self.end)
        self.anchor = anchor or self.start
        self._pay(lines)

    def _pay(self, lines: list[InvoiceLine]) -> None:
        self.lines += len(lines)
        self.shop.pays(*lines, paid_at=self.now)
        if self.in_time:
            self.shop.grants(self.now)

    def _time_passes(self) -> None:
        self.oracle.time_passes(self.now)
        if self.in_time:
            self.shop.grants(self.now)

    def _unused(self) -> InvoiceLine:
        assert self.offer is not None
        return self._line(self.offer, self.now, self.end, proration=True, amount=-1)

    def _line(
        self,
        offer: Offer,
        start: datetime,
        end: datetime,
        *,
        proration: bool = False,
        amount: int = 1,
    ) -> InvoiceLine:
        return a_line(
            offer.price,
            amount,
            start,
            end,
            proration=proration,
            quantity=offer.quantity,
            subscription=self.name,
        )


def ratio(part: timedelta, whole: timedelta) -> Fraction:
    return Fraction(int(part.total_seconds()), int(whole.total_seconds()))


def later(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or the last one before the month is over."""
    month = moment.month - 1 + months
    for day in range(moment.day, 0, -1):
        try:
            return moment.replace(year=moment.year + month // 12, month=month % 12 + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has a first")


def period_end(offer: Offer, anchor: datetime, number: int) -> datetime:
    return later(anchor, number * (1 if offer.interval == "monthly" else 12))


offers = st.builds(
    Offer,
    st.sampled_from(sorted(CREDITS)),
    st.sampled_from(["monthly", "yearly"]),
    st.integers(1, 3),
)
hours = st.one_of(st.integers(1, 40), st.integers(1, 24 * 45), st.integers(1, 24 * 400))
steps = st.lists(
    st.tuples(hours, st.one_of(offers, st.sampled_from(["cancels", "gives back"])), offers),
    min_size=1,
    max_size=6,
)


def tell(story: Story, first: Offer, steps: list[tuple[int, Offer | str, Offer]]) -> None:
    story.subscribes(first)
    for wait, wish, again in steps:
        story.waits(wait)
        if isinstance(wish, Offer):
            if wish != story.offer:
                story.changes(wish)
        else:
            story.cancels(gives_back=wish == "gives back")
            story.subscribes(again)
    story.waits(24 * 40)
    story.finishes()


def test_grants_follow_what_was_paid_for(app: Flask) -> None:
    """Never more than that at its height, and less by roundings alone; the same grants, in the same
    order, whether the worker is in time or not. The books are clean."""

    @settings(
        max_examples=usually(6, thorough=30),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(BEGINNINGS), offers, steps)
    def holds(
        beginning: datetime, first: Offer, steps: list[tuple[int, Offer | str, Offer]]
    ) -> None:
        grants = []
        for in_time in (True, False):
            shop = PaperShop(app)
            story = Story(shop, in_time, beginning)
            tell(story, first, steps)
            granted = sum(shop.amounts())
            assert granted <= story.oracle.most
            assert granted > story.oracle.most - 2 * story.lines - 1
            assert granted - shop.owed() <= story.oracle.entitled
            assert granted - shop.owed() > story.oracle.entitled - 2 * story.lines - 1
            grants.append([(row["credits"], row["note"]) for row in shop.granted()])
        assert grants[0] == grants[1]

    holds()
    books.assert_clean(app)
    assert_lots_add_up(app)


def test_the_oracle_would_notice_a_free_credit() -> None:
    """Premium for half a month, then the cheaper plan: 3,000 at the height, 2,000 in the end."""
    oracle = Oracle()
    start, middle, end = at("2031-01-01"), at("2031-01-16 12:00"), at("2031-02-01")
    oracle.begins(Offer("pro", "monthly"), start, start, end)
    oracle.ends(middle)
    oracle.begins(Offer("basic", "monthly"), start, middle, end)
    assert (oracle.most, oracle.entitled) == (3000, 2000)
