"""The nightly comparison with Stripe: it tells, and repairs nothing."""

import logging
from datetime import datetime, timedelta

from storefront import jobs, reconciling
from storefront.db import db, transaction, utcnow
from storefront.errors import StorefrontError, StripeUnavailable
from storefront.jobs import Args
from storefront.reconciling import Asked, Reconciliation
from storefront.stripe_gateway import Window, reason
from storefront.work.context import Context

REACH = timedelta(days=3)
"""How far back a night looks. What moves later on older payments is seen on the balance."""

SLICE_HOURS = 24
PATIENCE_SECONDS = 20
"""No other slice is begun after that; what is left is promised anew, behind other work, in slices
half as long if one was enough to take so long."""

LATER = timedelta(hours=1)
MOST_TRIES = 5

log = logging.getLogger(__name__)


def reconcile(context: Context, args: Args) -> None:
    """Compare the last days: {} at first, then {"until": …, "from": …, "hours": …} for what was
    left over. When Stripe does not answer, it is asked again an hour later, five times in all."""
    now = utcnow()
    until = datetime.fromisoformat(args["until"]) if "until" in args else None
    start = datetime.fromisoformat(args["from"]) if "from" in args else now - REACH
    asked = Asked(patience_seconds=PATIENCE_SECONDS, wait=_ask_later)
    hours = int(args.get("hours", SLICE_HOURS))
    windows = _slices(start, until, now, timedelta(hours=hours))
    try:
        run = reconciling.reconcile(
            context.gateway, context.catalog, context.config.livemode, windows, asked
        )
    except StorefrontError as error:
        _try_later(args)
        raise jobs.Incomplete(f"ended early: {reason(error)}") from error
    if run.since is not None and run.since > start:
        slow = run.since == windows[0].since
        _go_on(run.id, run.since, start, max(1, hours // 2) if slow else hours)
    _say(run)


def _slices(
    start: datetime, until: datetime | None, now: datetime, length: timedelta
) -> list[Window]:
    """The newest first. Without an end it goes on to this moment, and has all that is live."""
    windows, end = [], until
    while (end or now) > start:
        since = max(start, (end or now) - length)
        windows.append(Window(since, end))
        end = since
    return windows


def _say(run: Reconciliation) -> None:
    """In the log, and where the schedule is shown. Raises Incomplete when something differs."""
    compared = f"{run.compared} objects of Stripe's compared"
    if not run.differences:
        log.info("reconcile: %s, nothing differs", compared)
        return
    found = f"{run.differences} differences, {run.money_remaining} of them about money"
    log.error("reconcile: %s, %s: %s", compared, found, run.counts)
    raise jobs.Incomplete(f"{found}: flask reconcile shows them")


def _go_on(run_id: str, until: datetime, start: datetime, hours: int) -> None:
    rest = {"until": until.isoformat(), "from": start.isoformat(), "hours": hours}
    with transaction() as session:
        jobs.promise(session, "reconcile", rest, key=f"{jobs.RUN_PREFIX}reconcile:after:{run_id}")


def _try_later(args: Args) -> None:
    tries = args.get("tries", 1)
    if tries < MOST_TRIES:
        run = reconciling.latest(db.session())[0]
        key = f"{jobs.RUN_PREFIX}reconcile:again:{run.id}"
        with transaction() as session:
            again = {**args, "tries": tries + 1}
            jobs.promise(session, "reconcile", again, key=key, run_at=utcnow() + LATER)


def _ask_later(_seconds: float) -> None:
    """A job does not wait: its lease would run out, and other work stands behind it."""
    raise StripeUnavailable("Stripe is busy or does not answer; the next try is in an hour.")
