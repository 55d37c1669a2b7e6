"""Refunds that operators order: looked at beforehand, ordered once, made at Stripe, never lost.

order() commits what is wanted, under the id that the form carried, with a job that will do it;
perform() makes the refund at Stripe and applies it by the same function as its webhook. The page
calls perform() at once; where it dies or Stripe does not answer, the worker's job goes on.
"""

from storefront.refunding.ordering import Wish, new_order_id, order, parse_amount
from storefront.refunding.performing import perform
from storefront.refunding.previewing import Preview, Refundable, preview, refundable
from storefront.refunding.tables import REASONS, RefundOrder, of_source

__all__ = [
    "REASONS",
    "Preview",
    "RefundOrder",
    "Refundable",
    "Wish",
    "new_order_id",
    "of_source",
    "order",
    "parse_amount",
    "perform",
    "preview",
    "refundable",
]
