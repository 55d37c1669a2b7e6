"""Billing, put together: what the customer has, what there is to buy, and what came of a visit to
Checkout. Two queries, whatever there is to show, besides the reader."""

from dataclasses import dataclass

from flask import render_template, request

from storefront import entitlements, overview, prices
from storefront.catalog import Catalog, Interval
from storefront.db import db, utcnow
from storefront.entitlements import Entitlement
from storefront.money import format_credits
from storefront.overview import Overview
from storefront.subscriptions import Subscription
from storefront.web import current, pages, plan_cards, standing
from storefront.web.plan_cards import Holdings
from storefront.web.returning import Returned
from storefront.web.standing import Facts, Standing

INTERVALS: dict[str | None, Interval] = {"monthly": "monthly", "yearly": "yearly"}
REPORTS = "reports"


@dataclass(frozen=True)
class Choice:
    """What the reader looks at or came for. What an address says of it that makes no sense is as
    if it were not said."""

    plan: str | None = None
    interval: Interval | None = None

    @classmethod
    def of(cls, plan: str | None, interval: str | None) -> "Choice":
        known = current.catalog().find_plan(plan)
        return cls(known.code if known else None, INTERVALS.get(interval))

    @classmethod
    def from_address(cls) -> "Choice":
        return cls.of(request.args.get("plan"), request.args.get("interval"))


@dataclass(frozen=True)
class Yours:
    """What the customer has now, in words. `name` is the plan that gives access; `lapsed` the one
    that no longer does, where `standing` speaks of that; `ending` that a cancellation is to come.
    """

    name: str
    interval: str | None
    lapsed: str | None
    standing: Standing | None
    ending: bool
    credits: str | None
    features: list[str]
    limits: list[tuple[str, int | None]]
    reports: bool


def render(choice: Choice, returned: Returned | None = None, problem: str | None = None) -> str:
    """The page; `problem` is why what was asked for last was not done."""
    catalog, session = current.catalog(), db.session()
    has = overview.read(session, current.user().id)
    pages.know_balance(has.balance)
    sold = prices.current(session, catalog, current.settings().livemode)
    holdings = Holdings(has.live, has.owned(), ever=bool(has.subscriptions))
    interval = choice.interval or _interval_of(has.live) or "monthly"
    return render_template(
        "billing/index.html",
        has=has,
        yours=_yours(has, catalog),
        cards=plan_cards.offer(catalog, sold, holdings, interval, choice.plan),
        choice=choice,
        interval=interval,
        has_choice=plan_cards.has_choice(catalog),
        savings=plan_cards.savings(catalog),
        returned=returned,
        problem=problem,
        name_of=catalog.name_of,
    )


def _yours(has: Overview, catalog: Catalog) -> Yours:
    now, grace = utcnow(), current.grace()
    entitlement = entitlements.derive(has.subscriptions, has.purchases, catalog, grace, now)
    spoken_of = has.subscription(entitlement.subscription_id)
    facts = spoken_of and Facts(
        subscription=spoken_of,
        price_text=_price_text(spoken_of, catalog),
        grace_until=entitlements.grace_until(spoken_of, grace),
        now=now,
    )
    lapsed = spoken_of and not entitlement.access
    return Yours(
        name=entitlement.plan_name or "No plan",
        interval=entitlement.interval if entitlement.access else None,
        lapsed=catalog.name_of(spoken_of.plan or "") if spoken_of and lapsed else None,
        standing=standing.of(facts) if facts else None,
        ending=bool(facts and facts.ends and not lapsed),
        credits=_credits(entitlement),
        features=_feature_texts(entitlement, catalog),
        limits=[(_words(name), limit) for name, limit in sorted(entitlement.limits.items())],
        reports=entitlement.has(REPORTS),
    )


def _price_text(subscription: Subscription, catalog: Catalog) -> str | None:
    """Such as $49/month, as long as it is the catalogue's price that renews."""
    plan = catalog.find_plan(subscription.plan)
    price = plan.price(subscription.interval or "") if plan else None
    return price.text if price and subscription.quantity == 1 else None


def _credits(entitlement: Entitlement) -> str | None:
    """What each coming period brings, and how long that lasts; None when none is to come, or a
    trial is to be over first."""
    plan, interval = entitlement.plan, entitlement.interval
    renews = entitlement.renews_at is not None and entitlement.trial_ends_at is None
    if plan is None or interval is None or not (renews and plan.credits):
        return None
    yearly = interval == "yearly" and plan.yearly_credits == "yearly"
    period = "year" if yearly else "month"
    until = (
        f"to use within the {period}"
        if plan.credits_expire == "period_end"
        else "that never expire"
    )
    return f"{format_credits(plan.credits_granted(interval))} credits each {period}, {until}."


def _feature_texts(entitlement: Entitlement, catalog: Catalog) -> list[str]:
    """The features one has, in the catalogue's words and order."""
    texts = {
        feature.code: feature.text
        for plan in catalog.plans
        for feature in plan.features
        if entitlement.has(feature.code)
    }
    return list(texts.values())


def _interval_of(live: Subscription | None) -> Interval | None:
    """What the customer pays by, so that their own plan shows as it is."""
    return INTERVALS.get(live.interval) if live else None


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
