"""Mails about a subscription's life: a trial that ends, and its end."""

import logging

from sqlalchemy import select

from storefront import users
from storefront.catalog import Catalog
from storefront.db import db, end_reading
from storefront.jobs import Args
from storefront.money import format_money
from storefront.stripe_gateway import SubscriptionFacts
from storefront.subscriptions import OVER, Subscription
from storefront.work.context import Context
from storefront.work.mails import send
from storefront.work.telling import day

PER = {"monthly": " each month", "yearly": " each year"}

log = logging.getLogger(__name__)


def mail_trial_ending(context: Context, args: Args) -> None:
    """Tell the customer when the trial ends and what is charged then: {"subscription": sub_…}.
    Stripe is asked: the trial may have been ended, or the subscription cancelled, meanwhile."""
    end_reading()
    facts = context.gateway.retrieve_subscription(args["subscription"])
    user_id = users.of_stripe_customer(db.session(), facts.customer_id)
    if facts.status != "trialing" or facts.trial_end is None or user_id is None:
        log.info("no mail about the trial of %s: there is none any more", facts.id)
        return
    send(
        context,
        "trial_ending",
        users.find(user_id).email,
        id=f"trial_ending.{facts.id}.{facts.trial_end:%Y%m%d}",
        plan=_plan_name(context.catalog, facts.id),
        ends_on=day(facts.trial_end),
        price=_price(facts),
        ends_for_good=_ends_with_trial(facts),
    )


def mail_subscription_cancelled(context: Context, args: Args) -> None:
    """Tell the customer that a subscription has ended, or until when it lasts:
    {"subscription_id": ours}. One that goes on after all is no news."""
    session = db.session()
    subscription = session.get_one(Subscription, args["subscription_id"])
    over = subscription.status in OVER
    until = subscription.ends_at
    if not over and until is None:
        log.info("no mail about %s: it goes on", subscription.stripe_subscription_id)
        return
    ended_at = subscription.ended_at or subscription.updated_at
    send(
        context,
        "subscription_cancelled",
        users.find(subscription.user_id).email,
        id=f"subscription_cancelled.{subscription.stripe_subscription_id}",
        plan=_plan_name(context.catalog, subscription.stripe_subscription_id),
        ended_on=day(ended_at) if over else None,
        lasts_until=day(until) if until else None,
    )


def _plan_name(catalog: Catalog, stripe_subscription_id: str) -> str:
    """The plan's name, or words for a plan that is not, or not yet, known here."""
    mine = Subscription.stripe_subscription_id == stripe_subscription_id
    code = db.session().scalar(select(Subscription.plan).where(mine))
    return catalog.name_of(code) if code else "your plan"


def _price(facts: SubscriptionFacts) -> str | None:
    """Such as $49.00 each month, before discounts and tax; None for prices in tiers."""
    if facts.price.unit_amount is None:
        return None
    amount = format_money(facts.price.unit_amount * facts.quantity, facts.price.currency)
    return amount + PER.get(facts.price.interval or "", "")


def _ends_with_trial(facts: SubscriptionFacts) -> bool:
    """Whether the customer has cancelled, so that nothing is charged."""
    assert facts.trial_end is not None
    if facts.cancel_at is not None:
        return facts.cancel_at <= facts.trial_end
    return facts.cancel_at_period_end
