"""What a customer may use: every status at every time, several subscriptions, purchases, and plans
that have left the catalogue."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from storefront import catalog, entitlements, users
from storefront.catalog import Catalog
from storefront.db import db
from storefront.entitlements import Entitlement
from storefront.payments import Payment
from storefront.subscriptions import LIVE, OVER, Subscription
from tests.support.billing_rows import a_subscription
from tests.support.builders import a_payment, a_user

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 10, tzinfo=UTC)
GRACE = timedelta(days=7)
SHOP = catalog.load(Path(__file__).parents[2] / "catalog.toml")
PREMIUM = frozenset(
    {"unlimited_projects", "5_000_credits_each_month", "priority_support", "reports"}
)
FREE = frozenset({"one_project", "community_support"})
PACK = frozenset({"five_projects", "3_000_credits_that_never_expire", "e_mail_support"})


def held(status: str = "active", **columns: Any) -> Subscription:
    """A subscription as it would be stored."""
    given: dict[str, Any] = {
        "id": "sub_1",
        "status": status,
        "plan": "premium_plan",
        "interval": "monthly",
        "current_period_start": START,
        "current_period_end": END,
        "started_at": START,
        "cancel_at_period_end": False,
    }
    return Subscription(**given | columns)


def bought(status: str = "succeeded", **columns: Any) -> Payment:
    given: dict[str, Any] = {
        "id": "pay_1",
        "kind": "purchase",
        "pack_or_plan": "standard_pack",
        "quantity": 1,
        "status": status,
        "amount_received": 2900,
        "amount_refunded": 0,
        "amount_disputed": 0,
        "created_at": START,
    }
    return Payment(**given | columns)


def of(
    *subscriptions: Subscription,
    purchases: tuple[Payment, ...] = (),
    shop: Catalog = SHOP,
    now: datetime = NOW,
) -> Entitlement:
    return entitlements.derive(subscriptions, purchases, shop, GRACE, now)


def test_who_has_nothing_has_the_free_plan() -> None:
    has = of()
    assert (has.plan_name, has.status, has.access) == ("Free", "none", False)
    assert has.features == FREE
    assert dict(has.limits) == {"projects": 1, "seats": 1}
    assert (has.since, has.until, has.renews_at, has.purchases) == (None, None, None, ())


def test_an_active_subscription_gives_its_plan_until_it_renews() -> None:
    has = of(held())
    assert (has.plan_name, has.interval, has.status, has.access) == (
        "Premium", "monthly", "active", True,
    )  # fmt: skip
    assert has.features == PREMIUM
    assert has.has("reports")
    assert not has.has("one_project")
    assert (has.limit("projects"), has.limit("seats")) == (None, 10)
    assert has.limit("nobody_speaks_of_it") == 0
    assert (has.since, has.until, has.renews_at) == (START, None, END)


def test_a_trial_says_when_it_ends() -> None:
    has = of(held("trialing", trial_end=END))
    assert (has.access, has.trial_ends_at) == (True, END)
    assert of(held("active", trial_end=START)).trial_ends_at is None


@pytest.mark.parametrize("end", [{"cancel_at_period_end": True}, {"cancel_at": END}])
def test_a_scheduled_cancellation_says_until_when(end: dict[str, Any]) -> None:
    """In either of the two ways in which Stripe says it."""
    has = of(held(**end))
    assert (has.access, has.until, has.renews_at) == (True, END, None)
    over = of(held(**end), now=END)
    assert (over.access, over.plan_name, over.until) == (False, "Free", END)


def test_a_failed_payment_leaves_access_for_the_grace() -> None:
    late = held("past_due", past_due_since=NOW)
    has = of(late, now=NOW + GRACE - timedelta(seconds=1))
    assert (has.access, has.status) == (True, "past_due")
    assert has.until == has.grace_until == NOW + GRACE
    gone = of(late, now=NOW + GRACE)
    assert (gone.access, gone.status, gone.features) == (False, "past_due", FREE)
    assert gone.until == NOW + GRACE


def test_a_cancellation_within_the_grace_comes_first() -> None:
    sooner = NOW + timedelta(days=1)
    has = of(held("past_due", past_due_since=NOW, cancel_at=sooner))
    assert (has.until, has.grace_until) == (sooner, NOW + GRACE)


@pytest.mark.parametrize(
    "status", ["canceled", "unpaid", "incomplete", "paused", "a_status_of_tomorrow"]
)
def test_in_other_states_the_status_is_told_and_nothing_is_given(status: str) -> None:
    has = of(held(status))
    assert (has.access, has.status, has.subscription_id) == (False, status, "sub_1")
    assert (has.plan_name, has.features) == ("Free", FREE)


def test_what_never_began_is_as_if_it_had_not_been() -> None:
    assert of(held("incomplete_expired")) == of()


def test_what_is_over_says_since_when() -> None:
    assert of(held("canceled", ended_at=NOW)).until == NOW


def test_of_several_subscriptions_the_best_one_counts() -> None:
    """Access first; what is over never hides what runs."""
    running, over = held(id="sub_running"), held("canceled", id="sub_over")
    paused = held("paused", id="sub_paused")
    assert of(over, paused, running).subscription_id == "sub_running"
    assert of(over, paused).subscription_id == "sub_paused"
    assert of(over, held("unpaid", id="sub_unpaid"), paused).subscription_id == "sub_unpaid"


TWO_PLANS = """
[[packs]]
code = "p"
name = "P"
price = 500
currency = "usd"
credits = 500

[[plans]]
code = "small"
billing = "subscription"
name = "Small"
description = "."
features = ["Small things"]
limits = { seats = 2 }
currency = "usd"
monthly = 1000

[[plans]]
code = "large"
billing = "subscription"
name = "Large"
description = "."
features = ["Large things"]
limits = { seats = 20 }
currency = "usd"
monthly = 2000
"""


def test_of_two_that_run_the_plan_that_stands_last_counts() -> None:
    shop = catalog.parse(TWO_PLANS)
    small, large = held(plan="small", id="sub_s"), held(plan="large", id="sub_l")
    left = held(plan="gone", id="sub_g")
    for order in ((small, large, left), (left, large, small)):
        has = of(*order, shop=shop)
        assert (has.plan_name, has.features) == ("Large", frozenset({"large_things"}))


def test_without_a_free_plan_nothing_is_nothing() -> None:
    has = of(shop=catalog.parse(TWO_PLANS))
    assert (has.plan, has.plan_name, has.features, dict(has.limits)) == (
        None,
        None,
        frozenset(),
        {},
    )


def test_a_plan_that_left_the_catalogue_has_no_features_of_its_own() -> None:
    has = of(held(plan="gold_of_last_year"))
    assert (has.plan, has.plan_name) == (None, "gold_of_last_year")
    assert (has.access, has.status, has.renews_at) == (True, "active", END)
    assert has.features == FREE, "who pays has no less than who does not"
    unknown = of(held(plan=None, interval=None))
    assert (unknown.plan, unknown.plan_name, unknown.access) == (None, None, True)


def test_a_purchase_adds_what_it_brings_for_good() -> None:
    has = of(purchases=(bought(),))
    assert (has.plan_name, has.interval, has.since) == ("Standard Pack", "one_time", START)
    assert (has.status, has.until) == ("none", None)
    assert has.features == FREE | PACK
    assert has.limit("projects") == 5
    (purchase,) = has.purchases
    assert (purchase.name, purchase.quantity, purchase.bought_at) == ("Standard Pack", 1, START)


def test_a_purchase_adds_to_a_subscription_and_unlimited_wins() -> None:
    has = of(held(), purchases=(bought(),))
    assert has.plan_name == "Premium"
    assert has.features == PREMIUM | PACK
    assert (has.limit("projects"), has.limit("seats")) == (None, 10)


def test_a_purchase_outlives_a_subscription() -> None:
    has = of(held("canceled", ended_at=NOW), purchases=(bought(),))
    assert (has.plan_name, has.status) == ("Standard Pack", "canceled")
    assert has.features == FREE | PACK


@pytest.mark.parametrize(
    "payment",
    [
        bought("processing"),
        bought("canceled"),
        bought(amount_refunded=2900),
    ],
    ids=["on its way", "failed", "refunded"],
)
def test_what_is_not_paid_or_was_refunded_brings_nothing(payment: Payment) -> None:
    assert of(purchases=(payment,)) == of()


def test_a_part_that_was_refunded_takes_nothing_away() -> None:
    assert of(purchases=(bought(amount_refunded=2899),)).has("five_projects")
    assert of(purchases=(bought(amount_received=0),)).has("five_projects"), "a discount of all"


def test_a_purchase_whose_plan_left_the_catalogue_is_still_told() -> None:
    has = of(purchases=(bought(pack_or_plan="old_pack"),))
    assert (has.plan_name, has.features) == ("Free", FREE)
    assert [it.name for it in has.purchases] == ["old_pack"]


moments = st.integers(-300, 400).map(lambda days: NOW + timedelta(days=days))
statuses = st.sampled_from([*LIVE, *OVER, "a_status_of_tomorrow"])
some_subscription = st.builds(
    held,
    statuses,
    plan=st.sampled_from(["premium_plan", "free_tier", "gone", None]),
    cancel_at_period_end=st.booleans(),
    cancel_at=st.none() | moments,
    current_period_start=moments,
    current_period_end=moments,
    past_due_since=st.none() | moments,
    ended_at=st.none() | moments,
    trial_end=st.none() | moments,
)


def access_by_the_book(it: Subscription, now: datetime) -> bool:
    """The rule once more, in other words."""
    if it.cancel_at and it.cancel_at <= now:
        return False
    if it.cancel_at_period_end and not it.cancel_at and it.current_period_end <= now:
        return False
    if it.status == "past_due":
        return now - GRACE < (it.past_due_since or it.current_period_start)
    return it.status in {"active", "trialing"}


@given(some_subscription, moments, st.booleans())
def test_access_follows_status_and_time(it: Subscription, now: datetime, pack: bool) -> None:
    has = of(it, purchases=(bought(),) if pack else (), now=now)
    assert has.access == access_by_the_book(it, now)
    assert has.has("reports") == (has.access and it.plan == "premium_plan")
    assert has.has("five_projects") == pack
    if has.access:
        assert has.until is None or has.until > now
        assert has.status == it.status
    assert (has.grace_until is not None) == (has.access and it.status == "past_due")


@given(st.lists(some_subscription, max_size=4), moments, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing_of_what_may_be_used(
    all_of_them: list[Subscription], now: datetime, random: Any
) -> None:
    shuffled = random.sample(all_of_them, len(all_of_them))
    one, other = of(*all_of_them, now=now), of(*shuffled, now=now)
    assert (one.access, one.features) == (other.access, other.features)
    assert one.access == any(access_by_the_book(it, now) for it in all_of_them)


def test_it_is_read_in_two_queries(app: Flask) -> None:
    customer = a_user(app)
    for status in ("active", "canceled", "canceled"):
        a_subscription(app, customer, status)
    a_payment(app, customer, status="succeeded", kind="purchase")
    asked: list[str] = []
    with app.app_context():
        user = users.find(customer.id)
        user_id = user.id
        event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        has = entitlements.of(user, app.extensions["catalog"], GRACE)
    assert user_id == customer.id
    assert (has.plan_name, has.access, len(has.purchases)) == ("Premium", True, 1)
    assert len(asked) == 2, asked
