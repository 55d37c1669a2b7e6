"""What workers do: kind of job -> function, and the schedule. The only place where both stand."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from storefront.jobs import Args, Registry, Scheduled
from storefront.work.context import Context
from storefront.work.mails import mail_receipt
from storefront.work.upkeep import expire_credits, prune_jobs

__all__ = ["HANDLERS", "SCHEDULE", "Context", "registry"]

HANDLERS: dict[str, Callable[[Context, Args], None]] = {
    "mail_receipt": mail_receipt,  # a payment was settled
}

SCHEDULE = (
    Scheduled("expire_credits", timedelta(minutes=1), expire_credits),
    Scheduled("prune_jobs", timedelta(hours=1), prune_jobs),
)


def registry(context: Context) -> Registry:
    """All functions by kind, scheduled ones by their name, ready to be called with arguments."""
    scheduled = {each.name: each.function for each in SCHEDULE}
    return {kind: partial(do, context) for kind, do in (HANDLERS | scheduled).items()}
