"""Plans: what a customer may use, for nothing, for one payment, or for one each month or year."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from storefront.catalog import display
from storefront.catalog.display import Cta
from storefront.money import format_money

Billing = Literal["free", "one_time", "subscription"]
Interval = Literal["monthly", "yearly", "one_time"]
CreditsExpire = Literal["period_end", "never"]
Mode = Literal["test", "live"]

MONTHS = {"monthly": 1, "yearly": 12}


@dataclass(frozen=True)
class Feature:
    """What a plan brings: `text` for people, `code` for programs that ask for it."""

    code: str
    text: str


@dataclass(frozen=True)
class StripeIds:
    """Stripe's ids of a plan in one mode, where they are given in the catalogue. Prices that are
    not are found at Stripe by their lookup key."""

    product: str | None = None
    prices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Price:
    """One way to pay for a plan. `amount` is in minor units of `currency`, for one `interval`."""

    plan: str
    interval: Interval
    amount: int
    currency: str

    @property
    def lookup_key(self) -> str:
        """Stripe's name for this price that is ours: premium_plan_yearly."""
        return f"{self.plan}_{self.interval}"

    @property
    def amount_text(self) -> str:
        """Such as $49 or $40.83."""
        return format_money(self.amount, self.currency, short=True)

    @property
    def text(self) -> str:
        """Such as $49/month, $490/year, or $29."""
        return self.amount_text + self.per

    @property
    def per(self) -> str:
        """/month or /year; empty for one payment."""
        return display.PER[self.interval]

    @property
    def per_month_text(self) -> str:
        """What a month of it costs, such as $40.83/month."""
        amount = display.shared_out(self.amount, MONTHS[self.interval])
        return format_money(amount, self.currency, short=True) + display.PER["monthly"]


@dataclass(frozen=True)
class Plan:
    """A plan as the catalogue describes it. `limits` are whole numbers, None being unlimited.

    `credits` are granted for each month of a subscription, or once for a one-time purchase; with
    `yearly_credits` "yearly" a year's are granted at its beginning. `max_quantity` is how many of
    a one-time plan a customer may have in all.
    """

    code: str
    billing: Billing
    name: str
    description: str
    features: tuple[Feature, ...]
    limits: Mapping[str, int | None]
    prices: tuple[Price, ...]
    cta: Cta
    stripe: Mapping[Mode, StripeIds]
    popular: bool = False
    trial_days: int = 0
    credits: int = 0
    credits_expire: CreditsExpire = "period_end"
    yearly_credits: Literal["monthly", "yearly"] = "monthly"
    max_quantity: int = 1

    @property
    def monthly(self) -> Price | None:
        return self.price("monthly")

    @property
    def yearly(self) -> Price | None:
        return self.price("yearly")

    @property
    def one_time(self) -> Price | None:
        return self.price("one_time")

    def price(self, interval: str) -> Price | None:
        """The price for this interval, if the plan is sold so."""
        return next((price for price in self.prices if price.interval == interval), None)

    def has_feature(self, code: str) -> bool:
        return any(feature.code == code for feature in self.features)

    @property
    def savings_percent(self) -> int:
        """How much less a year costs than twelve months, in whole percent; 0 if not less."""
        if self.monthly is None or self.yearly is None:
            return 0
        return display.percent_less(self.yearly.amount, 12 * self.monthly.amount)

    @property
    def savings_text(self) -> str | None:
        """Such as Save 17%; with ~ where the percent are not whole. None if nothing is saved."""
        if not self.savings_percent or self.monthly is None or self.yearly is None:
            return None
        exact = display.is_percent(
            self.savings_percent, self.yearly.amount, 12 * self.monthly.amount
        )
        return f"Save {'' if exact else '~'}{self.savings_percent}%"

    def total_text(self, interval: str, quantity: int = 1) -> str | None:
        """What is paid at once, such as $490.00; None if the plan is not sold so."""
        price = self.price(interval)
        return format_money(price.amount * quantity, price.currency) if price else None

    def credits_granted(self, interval: str) -> int:
        """How many credits one grant of this interval brings."""
        at_once = interval == "yearly" and self.yearly_credits == "yearly"
        return self.credits * 12 if at_once else self.credits

    def cta_text(self, state: display.CtaState, interval: Interval = "monthly") -> str:
        """The words of the button, such as Go Premium yearly."""
        price = self.price(interval) or next(iter(self.prices), None)
        return self.cta.text(state, self.name, interval, price.amount_text if price else "")
