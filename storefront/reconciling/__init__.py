"""Stripe's books against ours: payment intents, charges, refunds, disputes, subscriptions, invoices
and balance transactions, with our rows, and those with the ledger.

    compare(gateway, catalog, livemode, since=None, *, minimum_age=MINIMUM_AGE) -> Iterator of
    Difference

finds each difference and writes nothing; `minimum_age=timedelta(0)` compares what happened this
moment as well. repair() does what the ordinary functions do about one, and compares it again.
reconcile() does both for operators and the worker, and stores what came of it; latest() reads that.
"""

from storefront.reconciling.comparing import compare
from storefront.reconciling.difference import CREDITS, KINDS, Difference, Kind, Remedy
from storefront.reconciling.look import MINIMUM_AGE, Tally
from storefront.reconciling.repairing import Repair, repair
from storefront.reconciling.results import counts, examples, latest, plain
from storefront.reconciling.running import Asked, reconcile
from storefront.reconciling.tables import Reconciliation

__all__ = [
    "CREDITS",
    "KINDS",
    "MINIMUM_AGE",
    "Asked",
    "Difference",
    "Kind",
    "Reconciliation",
    "Remedy",
    "Repair",
    "Tally",
    "compare",
    "counts",
    "examples",
    "latest",
    "plain",
    "reconcile",
    "repair",
]
