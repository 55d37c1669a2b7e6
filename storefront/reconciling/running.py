"""A comparison from its beginning to its stored result, with repairs where they are asked for."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storefront.catalog import Catalog
from storefront.db import db, transaction, utcnow
from storefront.errors import StorefrontError
from storefront.ids import new_id
from storefront.reconciling import results
from storefront.reconciling.comparing import compare
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import MINIMUM_AGE, Tally
from storefront.reconciling.repairing import Repair, repair
from storefront.reconciling.tables import Reconciliation
from storefront.stripe_gateway import StripeGateway, Window, reason

EXAMPLES = 20
MOST_REPAIRS = 10_000
"""In one run, so that they fit into memory; what is beyond is left for the next one."""


@dataclass
class Asked:
    """How a comparison is to go. With `mending`, what was found is repaired afterwards. `found` is
    told each difference, `repaired` what became of each that had a remedy, `tell` the counts after
    each page. After `patience_seconds` no other window is begun."""

    mending: bool = False
    minimum_age: timedelta = MINIMUM_AGE
    patience_seconds: float | None = None
    found: Callable[[Difference], None] = lambda _difference: None
    repaired: Callable[[Repair], None] = lambda _repair: None
    tell: Callable[[Tally], None] = lambda _tally: None
    wait: Callable[[float], None] = time.sleep


@dataclass
class _Run:
    """A comparison while it goes on, and what it has come upon so far."""

    gateway: StripeGateway
    catalog: Catalog
    livemode: bool
    asked: Asked
    tally: Tally = field(default_factory=Tally)
    kinds: Counter[str] = field(default_factory=Counter)
    first: list[Difference] = field(default_factory=list)
    mendable: list[Difference] = field(default_factory=list)
    remedied: set[Remedy] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)
    remaining: int = 0
    money_remaining: int = 0
    repaired: int = 0

    def compare(self, window: Window) -> None:
        differences = compare(
            self.gateway,
            self.catalog,
            self.livemode,
            window.since,
            until=window.until,
            minimum_age=self.asked.minimum_age,
            tally=self.tally,
            wait=self.asked.wait,
            tell=self.asked.tell,
        )
        for difference in differences:
            self._add(difference)
            self.asked.found(difference)

    def mend(self) -> None:
        """Repair what can be; a remedy that several ask for is applied once."""
        while self.mendable:
            difference = self.mendable[0]
            assert difference.remedy is not None
            made = repair(
                self.gateway,
                self.catalog,
                self.livemode,
                difference,
                remedied=difference.remedy in self.remedied,
                wait=self.asked.wait,
            )
            self.mendable.pop(0)
            self.remedied.add(difference.remedy)
            self._take(made)

    def leave(self, difference: Difference) -> None:
        self.remaining += 1
        self.money_remaining += difference.money

    def _add(self, difference: Difference) -> None:
        self.kinds[difference.kind] += 1
        if len(self.first) < EXAMPLES:
            self.first.append(difference)
        fits = len(self.mendable) < MOST_REPAIRS
        if self.asked.mending and difference.remedy is not None and fits:
            self.mendable.append(difference)
        else:
            self.leave(difference)

    def _take(self, made: Repair) -> None:
        self.repaired += made.done
        for left in made.left:
            named = (left.subject, left.kind)
            if named not in self.left:  # two repairs of one object may both leave it
                self.left.add(named)
                self.leave(left)
        self.asked.repaired(made)


def reconcile(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    windows: Sequence[Window] = (Window(),),
    asked: Asked | None = None,
) -> Reconciliation:
    """Compare, window after window (the newest first), and store what was found; its row.

    Repairs are made when everything has been compared and told, each by the ordinary functions.
    Raises the gateway's errors; what was found until then is stored with the error.
    """
    run = _Run(gateway, catalog, livemode, asked or Asked())
    id, begun = _begin(livemode, windows[0]), time.monotonic()
    since: datetime | None = windows[0].until or utcnow()
    try:
        for window in windows:
            run.compare(window)
            since = window.since
            patience = run.asked.patience_seconds
            if patience is not None and time.monotonic() - begun > patience:
                break
        run.mend()
    except StorefrontError as error:
        _end(id, since, run, reason(error))
        raise
    return _end(id, since, run, None)


def _begin(livemode: bool, newest: Window) -> str:
    with transaction() as session:
        results.prune(session)
        run = Reconciliation(
            id=new_id("rec"), livemode=livemode, since=newest.since, until=newest.until or utcnow()
        )
        session.add(run)
        session.flush()
        return run.id


def _end(id: str, since: datetime | None, found: _Run, error: str | None) -> Reconciliation:
    for difference in found.mendable:  # no time was left for them
        found.leave(difference)
    with transaction() as session:
        run = session.get_one(Reconciliation, id, populate_existing=True)
        run.finished_at, run.since, run.error = utcnow(), since, error
        run.compared = sum(found.tally.listed.values())
        run.foreign_objects, run.moving = found.tally.foreign, found.tally.moving
        run.differences, run.repaired = found.kinds.total(), found.repaired
        run.remaining, run.money_remaining = found.remaining, found.money_remaining
        run.counts = json.dumps(found.kinds, sort_keys=True)
        run.examples = json.dumps([results.plain(it) for it in found.first])
        run.fees = json.dumps(found.tally.fees, sort_keys=True)
    return db.session().get_one(Reconciliation, id)
