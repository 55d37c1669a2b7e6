"""Stripe's events as received: recorded once, handled once, and never lost.

An event's row and its effect commit together. A failure is recorded in a transaction of its own
and answered with a 5xx, so that Stripe sends the event again; the worker tries it again as well,
with growing delays. After MAXIMUM_ATTEMPTS, or at once when repeating cannot help, the event is
parked: visible, and left for a person. What is done with is deleted when it is old enough that
Stripe cannot send it any more; the ledger's own keys keep every effect once.
"""

from storefront.inbox.keeping import MINIMUM_AGE, PRUNED_AFTER, find, listed, prune, states
from storefront.inbox.receiving import Effect, Outcome, receive, replay
from storefront.inbox.retrying import MAXIMUM_ATTEMPTS, begin, claim, due, unsettled
from storefront.inbox.tables import STATES, State, StripeEvent

__all__ = [
    "MAXIMUM_ATTEMPTS",
    "MINIMUM_AGE",
    "PRUNED_AFTER",
    "STATES",
    "Effect",
    "Outcome",
    "State",
    "StripeEvent",
    "begin",
    "claim",
    "due",
    "find",
    "listed",
    "prune",
    "receive",
    "replay",
    "states",
    "unsettled",
]
