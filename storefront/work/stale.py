"""What customers did not pay, brought to its end."""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta

from storefront import jobs, sweeping
from storefront.db import transaction, utcnow
from storefront.errors import StripeUnavailable
from storefront.jobs import Args
from storefront.stripe_gateway import StripeGateway, reason
from storefront.sweeping import Place
from storefront.work.context import Context

PATIENCE_SECONDS = 20
"""A run ends well within its lease; what is left is promised anew, behind other work."""

log = logging.getLogger(__name__)


def expire_stale(context: Context, args: Args) -> None:
    """Cancel payments and checkouts that nobody went on with, settle those that are paid after
    all: {} for all of them, or {"after": place} for the rest. What failed is for the next run."""
    age = timedelta(hours=context.config.stale_payment_hours)
    try:
        counts, errors = _sweep(context.gateway, age, _place(args), time.monotonic())
    except StripeUnavailable as error:
        raise jobs.Incomplete(f"ended early: {reason(error)}") from error
    if counts["settled"]:
        log.warning("%d stale payments turned out to be paid, and were settled", counts["settled"])
    if errors:
        total = sum(counts.values()) + len(errors)
        raise jobs.Incomplete(f"{len(errors)} of {total} could not be ended: {errors[0]}")


def _sweep(
    gateway: StripeGateway, age: timedelta, after: Place | None, begun: float
) -> tuple[Counter[str], list[str]]:
    """How many had each ending, and what went wrong."""
    counts: Counter[str] = Counter()
    errors: list[str] = []
    for swept in sweeping.sweep(gateway, age, after=after):
        if swept.error is not None:
            log.error("%s %s could not be ended: %s", swept.kind, swept.id, swept.error)
            errors.append(f"{swept.id}: {swept.error}")
        else:
            log.info("%s %s: %s", swept.kind, swept.id, swept.ending)
            counts[str(swept.ending)] += 1
        if time.monotonic() - begun > PATIENCE_SECONDS:
            _go_on_later(swept.place)
            break
    return counts, errors


def _go_on_later(place: Place) -> None:
    kind, made_at, id = place
    args = {"after": [kind, made_at.isoformat(), id]}
    key = f"{jobs.RUN_PREFIX}expire_stale:after:{id}:{utcnow():%Y-%m-%dT%H}"
    with transaction() as session:
        jobs.promise(session, "expire_stale", args, key=key)


def _place(args: Args) -> Place | None:
    if "after" not in args:
        return None
    kind, made_at, id = args["after"]
    return kind, datetime.fromisoformat(made_at), id
