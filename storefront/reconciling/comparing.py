"""The comparison itself: Stripe's objects, our rows and the ledger, one list after the other."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from storefront.catalog import Catalog
from storefront.reconciling import (
    charging,
    crediting,
    disputing,
    invoicing,
    paying,
    refunding,
    subscribing,
)
from storefront.reconciling.difference import Difference
from storefront.reconciling.look import MINIMUM_AGE, Look, Tally
from storefront.reconciling.walking import Walk, along
from storefront.stripe_gateway import StripeGateway, Window

WALKS: tuple[Walk[Any], ...] = (
    paying.WALK,
    refunding.WALK,
    disputing.WALK,
    invoicing.WALK,
    subscribing.WALK,
    charging.CHARGES,
    charging.MOVEMENTS,
)
"""In this order, so that a difference is told by the list of the object that it is of."""


def compare(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    since: datetime | None = None,
    *,
    until: datetime | None = None,
    minimum_age: timedelta = MINIMUM_AGE,
    tally: Tally | None = None,
    wait: Callable[[float], None] = time.sleep,
    tell: Callable[[Tally], None] = lambda _tally: None,
) -> Iterator[Difference]:
    """Every difference between Stripe's objects that were created from `since` to `until` (UTC;
    None is no bound), our rows of that time, and the ledger; each once, as it is found.

    Subscriptions that are live are compared whenever they began, unless there is an `until`. What
    happens late to an old payment is seen by its charge and its balance transactions. An object
    about which Stripe made an event within `minimum_age`, or whose row changed, is still moving and
    is only counted; zero compares everything as it is. `tally` counts along, and `tell` is told it
    after each page.

    Nothing is written. Nothing is loaded but a page and its rows; what was seen is in a scratch
    file. Raises StripeUnavailable when Stripe stays away for two minutes, StripeRefused.
    """
    window = Window(since, until)
    look = Look(
        gateway,
        catalog,
        livemode,
        window,
        minimum_age,
        tally if tally is not None else Tally(),
        wait=wait,
        tell=tell,
    )
    with closing(look.seen):
        for walk in WALKS:
            yield from along(look, walk)
        if since is not None and until is None:
            yield from along(look, subscribing.STILL_LIVE)
        yield from paying.without_intent(look)
        yield from crediting.unfounded(look)
