"""Subscriptions against our mirror of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from storefront import prices
from storefront.checkouts import Checkout
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import by, of_customers
from storefront.reconciling.walking import Walk, in_window, some_rows
from storefront.stripe_gateway import Listed, SubscriptionFacts
from storefront.subscriptions import LIVE, OVER, Subscription

SAME_NAMES = (
    "quantity", "status", "current_period_start", "current_period_end", "cancel_at_period_end",
    "cancel_at", "trial_start", "trial_end", "started_at",
)  # fmt: skip


def compare(look: Look, items: Sequence[Listed[SubscriptionFacts]]) -> list[Difference]:
    session = look.session
    ids = [it.facts.id for it in items]
    rows = by(session, Subscription, Subscription.stripe_subscription_id, ids)
    owners = Owners(look, [(it.facts.id, it.facts.customer_id) for it in items])
    found: list[Difference] = []
    for item in items:
        row = rows.get(item.facts.id)
        owner = owners.of(item.facts.id, item.facts.customer_id)
        if row is not None:
            found += _of_row(look, row, item.facts)
        elif owner is None:
            look.tally.foreign += 1
        else:
            found.append(_unknown_to_us(owner, item.facts))
    return found


def gone(look: Look, subscription_ids: Sequence[str]) -> list[Difference]:
    rows = by(look.session, Subscription, Subscription.stripe_subscription_id, subscription_ids)
    return [
        Difference(
            "unknown_to_stripe",
            money=False,
            what=f"{row.status} here, and Stripe does not have it",
            stripe_id=row.stripe_subscription_id,
            our_id=row.id,
            user_id=row.user_id,
            changed_at=row.updated_at,
        )
        for row in rows.values()
        if row.status not in OVER
    ]


class Owners:
    """Whose subscriptions are: by our row, by the checkout that made them, by the customer. The
    first two still know when the customer was deleted at Stripe."""

    def __init__(self, look: Look, named: Sequence[tuple[str | None, str]]) -> None:
        session, ids = look.session, [id for id, _ in named]
        mirrored = by(session, Subscription, Subscription.stripe_subscription_id, ids)
        bought = by(session, Checkout, Checkout.stripe_subscription_id, ids)
        rows: dict[str, Any] = {**bought, **mirrored}
        self._of_subscriptions = {id: row.user_id for id, row in rows.items()}
        self._of_customers = of_customers(session, [customer for _, customer in named])

    def of(self, subscription_id: str | None, customer_id: str) -> str | None:
        known = self._of_subscriptions.get(subscription_id or "")
        return known or self._of_customers.get(customer_id)

    def knows(self, customer_id: str) -> bool:
        """Whether Stripe's customer leads to somebody here by itself."""
        return customer_id in self._of_customers


def _unknown_to_us(owner: str, facts: SubscriptionFacts) -> Difference:
    return Difference(
        "unknown_to_us",
        money=False,
        what=f"a subscription of a customer of ours, {facts.status} at Stripe",
        stripe_id=facts.id,
        user_id=owner,
        customer_id=facts.customer_id,
        remedy=Remedy("subscription", facts.id, owner),
    )


def _of_row(look: Look, row: Subscription, facts: SubscriptionFacts) -> Iterator[Difference]:
    wrong = list(_wrong(look, row, facts))
    if wrong:
        yield Difference(
            "subscription_differs",
            money=False,
            what="; ".join(wrong),
            stripe_id=facts.id,
            our_id=row.id,
            user_id=row.user_id,
            customer_id=facts.customer_id,
            remedy=Remedy("subscription", facts.id),
            changed_at=row.updated_at,
        )


def _wrong(look: Look, row: Subscription, facts: SubscriptionFacts) -> Iterator[str]:
    """Each field in which our row is not what sync() would store."""
    pairs = [(name, getattr(facts, name), getattr(row, name)) for name in SAME_NAMES]
    pairs += [
        ("item", facts.item_id, row.stripe_item_id),
        ("price", facts.price.id, row.stripe_price_id),
        ("product", facts.price.product_id, row.stripe_product_id),
    ]
    sold = prices.identify(look.session, look.catalog, look.livemode, facts.price)
    plan, interval = sold or (None, None)
    pairs += [("plan", plan, row.plan), ("interval", interval, row.interval)]
    if facts.ended_at is not None and facts.status in OVER:
        pairs.append(("ended_at", facts.ended_at, row.ended_at))
    for name, theirs, ours in pairs:
        if theirs != ours:
            yield f"{name} {_said(theirs)} at Stripe, {_said(ours)} here"


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def _ours(look: Look, after: str, *wanted: ColumnElement[bool]) -> list[tuple[str, str]]:
    id = Subscription.stripe_subscription_id
    return some_rows(look, id, id, after, *wanted)


WALK = Walk[SubscriptionFacts](
    "subscriptions",
    lambda look, after: look.gateway.page_of_subscriptions(look.window, after),
    compare,
    lambda look, after: _ours(look, after, *in_window(look, Subscription.created_at)),
    lambda look, id: look.gateway.look_up_subscription(id),
    gone,
)

STILL_LIVE = Walk[SubscriptionFacts](
    "live subscriptions",
    lambda look, after: look.gateway.page_of_subscriptions(look.window, after, over=False),
    compare,
    lambda look, after: _ours(look, after, Subscription.status.in_(LIVE)),
    WALK.look_up,
    gone,
)
"""Those that are live, whenever they began: for a window that does not reach back to all."""
