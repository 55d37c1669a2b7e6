"""Keeping our row of a subscription as Stripe has it now."""

import logging
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from storefront import jobs, prices, users
from storefront.catalog import Catalog
from storefront.db import db, transaction, utcnow
from storefront.errors import NotFound
from storefront.ids import new_id
from storefront.stripe_gateway import StripeGateway, SubscriptionFacts
from storefront.subscriptions.tables import OVER, Subscription
from storefront.users import User

ASKING_TRIES = 2
"""An answer is stored if nobody stored another while we asked. Who is overtaken asks once more. If
that answer is overtaken, too, what is stored is as good: it was asked for after the first overtaker
had stored his, so after we began."""

log = logging.getLogger(__name__)


def sync(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    stripe_subscription_id: str,
    *,
    owner_id: str | None = None,
) -> Subscription | None:
    """Ask Stripe what is true of a subscription and store it: the one function for this effect. An
    older answer never overwrites a newer one, however many ask at once.

    `owner_id` is the user whose it is, for one whose customer was deleted at Stripe before we heard
    of it: then only our own checkout knows.

    Returns our row; None when the customer is unknown here, or Stripe does not know the
    subscription (other keys) and neither do we: then the row, if there is one, stays as it is.
    Raises Unprocessable, StripeUnavailable, StripeRefused.
    """
    for _ in range(ASKING_TRIES):
        version = _version(stripe_subscription_id)
        try:
            facts = gateway.retrieve_subscription(stripe_subscription_id)
        except NotFound:
            log.warning("Stripe does not know subscription %s", stripe_subscription_id)
            break
        with transaction() as session:
            if _store(session, catalog, livemode, facts, version, owner_id):
                break
    return db.session.scalar(_by_stripe_id(stripe_subscription_id))


def _version(stripe_subscription_id: str) -> int | None:
    return db.session.scalar(
        select(Subscription.version).where(
            Subscription.stripe_subscription_id == stripe_subscription_id
        )
    )


def _store(
    session: Session,
    catalog: Catalog,
    livemode: bool,
    facts: SubscriptionFacts,
    version: int | None,
    owner_id: str | None,
) -> bool:
    """Store an answer that was asked for at this version of the row; False when another was stored
    since. Customers are locked first, so that two who find no row do not both make one."""
    user_id = _owner(session, facts) or owner_id
    if user_id is None:
        return True
    users.lock(session, user_id)
    row = session.scalar(
        _by_stripe_id(facts.id).with_for_update().execution_options(populate_existing=True)
    )
    if (row.version if row else None) != version:
        return False
    if row is not None and row.status in OVER and facts.status not in OVER:
        log.warning("%s is over and stays so; Stripe says %s", facts.id, facts.status)
        return True
    if row is None:
        row = Subscription(id=new_id("sub"), user_id=user_id, version=0, status="")
        row.stripe_subscription_id = facts.id
    _write(session, catalog, livemode, row, facts)
    return True


def _owner(session: Session, facts: SubscriptionFacts) -> str | None:
    """Whose it is: once known, for ever, also when the customer was deleted at Stripe."""
    known = session.scalar(
        select(Subscription.user_id).where(Subscription.stripe_subscription_id == facts.id)
    )
    return known or session.scalar(
        select(User.id).where(User.stripe_customer_id == facts.customer_id)
    )


def _write(
    session: Session, catalog: Catalog, livemode: bool, row: Subscription, facts: SubscriptionFacts
) -> None:
    newly_cancelled = facts.status == "canceled" and row.status != "canceled"
    sold = prices.identify(session, catalog, livemode, facts.price)
    row.plan, row.interval = sold or (None, None)
    row.past_due_since = _past_due_since(row, facts)
    row.stripe_item_id = facts.item_id
    row.stripe_price_id, row.stripe_product_id = facts.price.id, facts.price.product_id
    row.quantity, row.status = facts.quantity, facts.status
    row.current_period_start = facts.current_period_start
    row.current_period_end = facts.current_period_end
    row.cancel_at_period_end, row.cancel_at = facts.cancel_at_period_end, facts.cancel_at
    row.trial_start, row.trial_end = facts.trial_start, facts.trial_end
    row.started_at, row.ended_at = facts.started_at, _ended_at(row, facts)
    row.version += 1
    row.updated_at = utcnow()
    session.add(row)
    session.flush()
    if newly_cancelled:
        jobs.promise(
            session,
            "mail_subscription_cancelled",
            {"subscription_id": row.id},
            key=f"mail_subscription_cancelled:{facts.id}",
        )


def _past_due_since(row: Subscription, facts: SubscriptionFacts) -> datetime | None:
    if facts.status != "past_due":
        return None
    return row.past_due_since or utcnow()


def _ended_at(row: Subscription, facts: SubscriptionFacts) -> datetime | None:
    """When it ended; when we saw it over, should Stripe not say."""
    if facts.status not in OVER:
        return None
    return facts.ended_at or row.ended_at or utcnow()


def _by_stripe_id(stripe_subscription_id: str) -> Select[Subscription]:
    return select(Subscription).where(Subscription.stripe_subscription_id == stripe_subscription_id)
