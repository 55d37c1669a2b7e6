"""Refunds that operators ordered, finished by a worker where their page could not."""

from storefront import refunding
from storefront.jobs import Args
from storefront.work.context import Context


def make_refund(context: Context, args: Args) -> None:
    """Make an ordered refund at Stripe: {"order": …}. Nothing to do when its page has done so."""
    refunding.perform(context.gateway, args["order"])
