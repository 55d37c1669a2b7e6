"""One comparison while it runs: what it may use, what it has counted, how it asks Stripe."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar, cast

from sqlalchemy.orm import Session

from storefront.catalog import Catalog
from storefront.db import db, utcnow
from storefront.errors import StripeUnavailable
from storefront.reconciling.difference import Difference
from storefront.reconciling.seen import Seen
from storefront.stripe_gateway import Page, StripeGateway, Window

T = TypeVar("T")

MINIMUM_AGE = timedelta(minutes=5)
"""An object about which Stripe made an event since then, or whose row changed, is still moving."""

WAITS_SECONDS = (1, 2, 5, 10, 20, 30, 60)
"""Between tries when Stripe is busy or does not answer; then it is given up."""

TELLING_TYPES = (
    "payment_intent.succeeded", "payment_intent.canceled", "payment_intent.payment_failed",
    "payment_intent.processing", "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated", "charge.dispute.closed", "customer.subscription.created",
    "customer.subscription.updated", "customer.subscription.deleted",
    "customer.subscription.paused", "customer.subscription.resumed", "invoice.paid",
    "invoice.voided", "invoice.marked_uncollectible",
)  # fmt: skip
"""Twenty, as many as one call may name."""


@dataclass
class Tally:
    """`listed`: how many of each list of Stripe's were compared. `foreign` objects are of other
    sales on the same account; `moving` differences may be gone in a moment; `left_out` objects
    could not be read. `fees` are what Stripe kept, by currency, in minor units."""

    listed: dict[str, int] = field(default_factory=dict)
    foreign: int = 0
    moving: int = 0
    left_out: int = 0
    fees: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, page: Page[T]) -> None:
        self.listed[name] = self.listed.get(name, 0) + len(page.items)
        self.left_out += page.left_out


@dataclass
class Look:
    """`wait` sleeps for so many seconds; `tell` is told the tally after each page."""

    gateway: StripeGateway
    catalog: Catalog
    livemode: bool
    window: Window = field(default_factory=Window)
    minimum_age: timedelta = MINIMUM_AGE
    tally: Tally = field(default_factory=Tally)
    seen: Seen = field(default_factory=Seen)
    wait: Callable[[float], None] = time.sleep
    tell: Callable[[Tally], None] = lambda _tally: None

    @property
    def session(self) -> Session:
        return cast(Session, db.session())

    def ask(self, call: Callable[[], T]) -> T:
        """Make a call that may be repeated; when Stripe is busy or does not answer, wait and ask
        again, for two minutes in all. Raises what the call raises."""
        for seconds in WAITS_SECONDS:
            try:
                return call()
            except StripeUnavailable:
                self.wait(seconds)
        return call()

    def told(self, suspects: Iterable[Difference]) -> Iterator[Difference]:
        """Each difference once, without those that are still moving."""
        found = list(suspects)
        moving = self._moving(found)
        for difference in found:
            changed_at = difference.changed_at
            if difference.stripe_id in moving or (changed_at and self._is_young(changed_at)):
                self.tally.moving += 1
                self.seen.note(difference)
            elif self.seen.tell(difference):
                yield difference

    def _is_young(self, moment: datetime) -> bool:
        return moment > utcnow() - self.minimum_age

    def _moving(self, suspects: list[Difference]) -> set[str]:
        """The objects that Stripe's latest events are about. (Its clock may be ahead of ours.)"""
        if not suspects or not self.minimum_age:
            return set()
        since = utcnow() - self.minimum_age
        after: str | None = None
        found: list[tuple[datetime, str]] = []
        while True:
            listing = partial(self.gateway.list_events, TELLING_TYPES, created_from=since)
            page = self.ask(partial(listing, older_than=after))
            found += [(event.created, str(event.object.get("id"))) for event in page.events]
            if not page.more:
                break
            after = page.oldest_id
        newest = max((created for created, _ in found), default=utcnow())
        edge = max(newest, utcnow()) - self.minimum_age
        return {id for created, id in found if created > edge}
