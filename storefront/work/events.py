"""Stripe's events after the webhook: tried again, fetched from Stripe's list, forgotten."""

import logging

from storefront import catching_up, inbox, jobs, redelivery
from storefront.db import transaction, utcnow
from storefront.errors import StorefrontError
from storefront.jobs import Args
from storefront.stripe_gateway import reason
from storefront.work.context import Context
from storefront.work.upkeep import BATCH, in_batches

PATIENCE_SECONDS = 20
"""A catch-up ends well within its lease; what is left is promised anew, behind other work."""

PRUNE_BATCHES = 100
"""In one run, which must end within its lease; the next run goes on."""

log = logging.getLogger(__name__)


def retry_events(_context: Context, _args: Args) -> None:
    """Try failed events again whose time has come; what is beyond the batch, in the next run."""
    redelivery.retry_due(BATCH)


def catch_up(context: Context, _args: Args) -> None:
    """Take in what Stripe lists and we do not have. When it does not answer, the next run goes on
    from the same place: a run that was missed needs no retries of its own."""
    try:
        run = catching_up.catch_up(context.gateway, patience_seconds=PATIENCE_SECONDS)
    except StorefrontError as error:
        log.warning("catch-up with Stripe's events ended early: %s", error.detail)
        raise jobs.Incomplete(f"ended early: {reason(error)}") from error
    found = f"Stripe had {run.listed} events, {run.missing} were missing, {run.failed} have failed"
    level = logging.INFO if run.listed else logging.DEBUG  # it comes every ten minutes
    log.log(logging.WARNING if run.missing or run.note else level, "catch-up: %s", found)
    if run.note:
        log.error("catch-up: %s", run.note)
    if not run.complete:
        with transaction() as session:
            jobs.promise(session, "catch_up", {}, key=f"{jobs.RUN_PREFIX}catch_up:after:{run.id}")


def prune_events(_context: Context, _args: Args) -> None:
    """Delete events that nobody can need any more, and results of old catch-ups."""
    before = utcnow() - inbox.PRUNED_AFTER
    with transaction() as session:
        catching_up.prune(session)
    in_batches(lambda session: inbox.prune(session, before, BATCH), most=PRUNE_BATCHES)
