"""The plans as Billing offers them to one customer: for each, the words of its button and where
the button leads."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

from storefront.catalog import Catalog, Interval, Plan, Price
from storefront.catalog.display import CtaState
from storefront.money import format_money
from storefront.subscriptions import CHANGEABLE, Subscription

State = Literal["current", "included", "purchased", "buy", "change", "switch", "blocked", "missing"]
"""current and purchased: theirs. included: comes with every account. buy: through Checkout. change
and switch (to the other interval): through the portal. blocked: what runs must be settled first.
missing: the price is not known at Stripe (yet)."""

WORDS: Mapping[State, CtaState] = {
    "current": "current",
    "included": "current",
    "purchased": "purchased",
    "switch": "switch",
}
LEADS_TO: Mapping[State, Literal["checkout", "portal"]] = {
    "buy": "checkout",
    "change": "portal",
    "switch": "portal",
}


@dataclass(frozen=True)
class Holdings:
    """What a customer has: a subscription that is not over, how many of each one-time plan, and
    whether there ever was a subscription (a second one has no trial)."""

    live: Subscription | None
    owned: Mapping[str, int]
    ever: bool


@dataclass(frozen=True)
class Card:
    """`most` is how many may be bought together; `chosen` is the plan that the reader came for."""

    plan: Plan
    price: Price | None
    state: State
    interval: Interval
    most: int
    owned: int
    trial_days: int
    chosen: bool

    @property
    def words(self) -> str:
        return self.plan.cta_text(WORDS.get(self.state, "upgrade"), self.interval)

    @property
    def leads_to(self) -> Literal["checkout", "portal"] | None:
        return LEADS_TO.get(self.state)


def has_choice(catalog: Catalog) -> bool:
    """Is there anything to choose between months and years?"""
    intervals = {price.interval for plan in catalog.plans for price in plan.prices}
    return {"monthly", "yearly"} <= intervals


def savings(catalog: Catalog) -> str | None:
    """The most that a yearly price saves, such as Save ~17%."""
    best = max(catalog.plans, key=lambda plan: plan.savings_percent, default=None)
    return best.savings_text if best else None


def costs_nothing(catalog: Catalog) -> str:
    """The price of a free plan, in the currency of the others, such as $0."""
    prices = [price for plan in catalog.plans for price in plan.prices]
    currency = prices[0].currency if prices else catalog.packs[0].currency
    return format_money(0, currency, short=True)


def offer(
    catalog: Catalog,
    for_sale: Container[tuple[str, str]],
    has: Holdings,
    interval: Interval,
    chosen: str | None = None,
) -> list[Card]:
    """A card for each plan, in the catalogue's order, with prices for `interval`. `for_sale` holds
    (plan, interval) of all prices that Stripe knows."""
    return [_card(plan, for_sale, has, interval, plan.code == chosen) for plan in catalog.plans]


def _card(
    plan: Plan, for_sale: Container[tuple[str, str]], has: Holdings, wanted: Interval, chosen: bool
) -> Card:
    price = plan.price(wanted) or next(iter(plan.prices), None)
    interval = price.interval if price else wanted
    owned = has.owned.get(plan.code, 0)
    return Card(
        plan=plan,
        price=price,
        state=_state(plan, (plan.code, interval) in for_sale, has, interval),
        interval=interval,
        most=max(plan.max_quantity - owned, 0),
        owned=owned,
        trial_days=0 if has.ever else plan.trial_days,
        chosen=chosen,
    )


def _state(plan: Plan, for_sale: bool, has: Holdings, interval: Interval) -> State:
    if plan.billing == "free":
        return "included" if has.live else "current"
    if plan.billing == "one_time" and has.owned.get(plan.code, 0) >= plan.max_quantity:
        return "purchased"
    live = has.live if plan.billing == "subscription" else None
    if live and live.status not in CHANGEABLE:
        return "blocked"
    if live and (live.plan, live.interval) == (plan.code, interval):
        return "current"
    if not for_sale:
        return "missing"
    if live is None:
        return "buy"
    return "switch" if live.plan == plan.code else "change"
