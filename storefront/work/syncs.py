"""Jobs that ask Stripe what is true now, after an event or on schedule."""

import logging

from storefront import checkouts, jobs, payments, prices, subscriptions
from storefront.db import transaction, utcnow
from storefront.errors import StorefrontError
from storefront.jobs import Args
from storefront.stripe_gateway import reason
from storefront.work.context import Context
from storefront.work.upkeep import BATCH

log = logging.getLogger(__name__)


def sync_subscription(context: Context, args: Args) -> None:
    """Store what is true of a subscription: {"subscription": "sub_…"}."""
    subscriptions.sync(
        context.gateway, context.catalog, context.config.livemode, args["subscription"]
    )


def sync_invoices(context: Context, args: Args) -> None:
    """Store a customer's invoices, and credit those that are paid: {"customer": "cus_…"}."""
    subscriptions.sync_invoices(
        context.gateway, context.catalog, context.config.livemode, args["customer"]
    )


def end_payment(context: Context, args: Args) -> None:
    """Cancel a payment at Stripe and close it here, unless it was paid: {"payment_id": …}."""
    payments.end(context.gateway, args["payment_id"])


def expire_checkouts(context: Context, args: Args) -> None:
    """Close what was opened beside a checkout that was paid: {"checkout_id": …}."""
    checkouts.expire_rivals(context.gateway, args["checkout_id"])


def refresh_prices(context: Context, _args: Args) -> None:
    """Learn what Stripe sells. When it does not answer, the next run asks again: a run that was
    missed needs no retries of its own."""
    try:
        prices.refresh(context.gateway, context.catalog)
    except StorefrontError as error:
        log.warning("the prices could not be refreshed: %s", error.detail)
        raise jobs.Incomplete(f"ended early: {reason(error)}") from error


def grant_plan_credits(context: Context, _args: Args) -> None:
    """Grant the monthly credits of yearly plans that have come due."""
    now = utcnow()
    while True:
        with transaction() as session:
            if subscriptions.grant_due(session, context.catalog, now, BATCH) < BATCH:
                return
