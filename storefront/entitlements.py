"""What a customer may use now: the plan, its features and limits, and until when.

A subscription gives access while it is `active` or `trialing`, and while it is `past_due` until a
grace has passed; in every other state it gives none. One-time purchases add theirs for good,
unless all of their money went back. Who has neither has the free plan, if there is one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from storefront import checkouts, subscriptions
from storefront.catalog import Catalog, Plan
from storefront.db import db, utcnow
from storefront.payments import Payment
from storefront.subscriptions import OVER, Subscription
from storefront.users import User

NO_SUBSCRIPTION = "none"
NEVER_BEGUN = "incomplete_expired"


@dataclass(frozen=True)
class Purchase:
    """A one-time plan that was bought and kept; `plan` is None when it has left the catalogue."""

    payment_id: str
    code: str
    plan: Plan | None
    quantity: int
    bought_at: datetime

    @property
    def name(self) -> str:
        return self.plan.name if self.plan else self.code


@dataclass(frozen=True)
class Entitlement:
    """What a customer may use. All times UTC.

    `plan` is that of the subscription that gives access, else the last one-time plan bought, else
    the free one; None when the subscription's plan has left the catalogue (`plan_name` is its code
    then) or there is no free plan. `status` is Stripe's word for the subscription, whether or not
    it gives access; `none` without one.

    `until` is when access ends or has ended: a scheduled cancellation, a grace that runs out, the
    end of what is over. `limits` are whole numbers, None being unlimited.
    """

    plan: Plan | None
    plan_name: str | None
    interval: str | None = None
    status: str = NO_SUBSCRIPTION
    access: bool = False
    features: frozenset[str] = frozenset()
    limits: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    purchases: tuple[Purchase, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    renews_at: datetime | None = None
    trial_ends_at: datetime | None = None
    grace_until: datetime | None = None
    subscription_id: str | None = None

    def has(self, feature: str) -> bool:
        """Whether this feature, named by its code, may be used."""
        return feature in self.features

    def limit(self, name: str) -> int | None:
        """How many of something there may be; None is unlimited. What no plan speaks of is 0."""
        return self.limits.get(name, 0)


def of(user: User, catalog: Catalog, grace: timedelta, now: datetime | None = None) -> Entitlement:
    """What this customer may use, at `now` (UTC) or at this moment. Two queries."""
    session, user_id = db.session(), user.id
    return derive(
        subscriptions.of_user(session, user_id),
        checkouts.purchases(session, user_id),
        catalog,
        grace,
        now or utcnow(),
    )


def derive(
    held: Sequence[Subscription],
    bought: Sequence[Payment],
    catalog: Catalog,
    grace: timedelta,
    now: datetime,
) -> Entitlement:
    """The same from rows that were read already, each list newest first.

    Of several subscriptions the best one counts, and it alone: one that gives access before one
    that does not, of those the one whose plan stands last in the catalogue, then the newest. When
    none gives access, the newest that is not over is told of.
    """
    purchases = tuple(_purchase(payment, catalog) for payment in bought if _is_kept(payment))
    subscription = _best(held, catalog, grace, now)
    if subscription is None:
        return _without(purchases, catalog)
    if not gives_access(subscription, grace, now):
        return _lapsed(subscription, grace, _without(purchases, catalog))
    plan = catalog.find_plan(subscription.plan)
    base = plan or catalog.free_plan  # who pays has no less than who does not
    return Entitlement(
        plan=plan,
        plan_name=plan.name if plan else subscription.plan,
        interval=subscription.interval,
        status=subscription.status,
        access=True,
        features=_features(base, purchases),
        limits=_limits(base, purchases),
        purchases=purchases,
        since=subscription.started_at,
        until=_until(subscription, grace),
        renews_at=None if subscription.ends_at else subscription.current_period_end,
        trial_ends_at=subscription.trial_end if subscription.status == "trialing" else None,
        grace_until=grace_until(subscription, grace),
        subscription_id=subscription.id,
    )


def gives_access(subscription: Subscription, grace: timedelta, now: datetime) -> bool:
    """Whether a subscription, as we know it, lets its customer in at `now`. A cancellation that
    was announced for a time that has come counts, whether or not its event has arrived."""
    ends_at = subscription.ends_at
    if ends_at is not None and ends_at <= now:
        return False
    if subscription.status == "past_due":
        until = grace_until(subscription, grace)
        return until is not None and now < until
    return subscription.status in ("active", "trialing")


def grace_until(subscription: Subscription, grace: timedelta) -> datetime | None:
    """Until when access lasts although a payment failed; None when none has."""
    if subscription.status != "past_due":
        return None
    return (subscription.past_due_since or subscription.current_period_start) + grace


def _best(
    held: Sequence[Subscription], catalog: Catalog, grace: timedelta, now: datetime
) -> Subscription | None:
    """The subscription to speak of; one whose first payment never came is as if it never was."""
    places = {plan.code: place for place, plan in enumerate(catalog.plans)}

    def worth(subscription: Subscription) -> tuple[bool, bool, int]:
        place = places.get(subscription.plan or "", -1)
        access = gives_access(subscription, grace, now)
        return access, subscription.status not in OVER, place if access else -1

    begun = [it for it in held if it.status != NEVER_BEGUN]
    return max(begun, key=worth, default=None)  # of equals the first, which is the newest


def _without(purchases: tuple[Purchase, ...], catalog: Catalog) -> Entitlement:
    """What one has without a subscription."""
    free = catalog.free_plan
    last = next((it for it in purchases if it.plan is not None), None)
    plan = last.plan if last else free
    return Entitlement(
        plan=plan,
        plan_name=plan.name if plan else None,
        interval="one_time" if last else None,
        features=_features(free, purchases),
        limits=_limits(free, purchases),
        purchases=purchases,
        since=last.bought_at if last else None,
    )


def _lapsed(subscription: Subscription, grace: timedelta, rest: Entitlement) -> Entitlement:
    """What is left when a subscription gives no access: its status is told with the rest."""
    return replace(
        rest,
        status=subscription.status,
        until=subscription.ended_at or _until(subscription, grace),
        subscription_id=subscription.id,
    )


def _is_kept(payment: Payment) -> bool:
    return payment.status == "succeeded" and payment.kept


def _purchase(payment: Payment, catalog: Catalog) -> Purchase:
    return Purchase(
        payment_id=payment.id,
        code=payment.pack_or_plan,
        plan=catalog.find_plan(payment.pack_or_plan),
        quantity=payment.quantity,
        bought_at=payment.created_at,
    )


def _features(base: Plan | None, purchases: Iterable[Purchase]) -> frozenset[str]:
    plans = _plans(base, purchases)
    return frozenset(feature.code for plan in plans for feature in plan.features)


def _limits(base: Plan | None, purchases: Iterable[Purchase]) -> Mapping[str, int | None]:
    """Of each limit the largest; unlimited is larger than any. A quantity multiplies nothing."""
    found: dict[str, int | None] = {}
    for plan in _plans(base, purchases):
        for name, limit in plan.limits.items():
            known = found.get(name, 0)
            found[name] = None if limit is None or known is None else max(limit, known)
    return MappingProxyType(found)


def _plans(base: Plan | None, purchases: Iterable[Purchase]) -> list[Plan]:
    return [plan for plan in (base, *(it.plan for it in purchases)) if plan is not None]


def _until(subscription: Subscription, grace: timedelta) -> datetime | None:
    """The earlier of an announced cancellation and the end of a grace."""
    ends = (subscription.ends_at, grace_until(subscription, grace))
    return min((it for it in ends if it is not None), default=None)
