"""A comparison from its beginning to its stored result, with repairs where they are asked for."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
class _Found:
    """What a run has come upon so far."""

    tally: Tally = field(default_factory=Tally)
    kinds: Counter[str] = field(default_factory=Counter)
    first: list[Difference] = field(default_factory=list)
    mendable: list[Difference] = field(default_factory=list)
    remedied: set[Remedy] = field(default_factory=set)
    remaining: int = 0
    money_remaining: int = 0
    repaired: int = 0

    def add(self, difference: Difference, *, mending: bool) -> None:
        self.kinds[difference.kind] += 1
        if len(self.first) < EXAMPLES:
            self.first.append(difference)
        if mending and difference.remedy is not None and len(self.mendable) < MOST_REPAIRS:
            self.mendable.append(difference)
        else:
            self.leave([difference])

    def leave(self, differences: Sequence[Difference]) -> None:
        self.remaining += len(differences)
        self.money_remaining += sum(it.money for it in differences)


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
    asked = asked or Asked()
    run_id, begun = _begin(livemode, windows[0]), time.monotonic()
    found = _Found()
    since: datetime | None = windows[0].until or utcnow()
    try:
        for window in windows:
            for difference in _differences(gateway, catalog, livemode, window, asked, found):
                found.add(difference, mending=asked.mending)
                asked.found(difference)
            since = window.since
            spent = time.monotonic() - begun
            if asked.patience_seconds is not None and spent > asked.patience_seconds:
                break
        for difference in found.mendable:
            _mend(gateway, catalog, livemode, difference, asked, found)
    except StorefrontError as error:
        _end(run_id, since, found, reason(error))
        raise
    return _end(run_id, since, found, None)


def _differences(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    window: Window,
    asked: Asked,
    found: _Found,
) -> Iterator[Difference]:
    return compare(
        gateway,
        catalog,
        livemode,
        window.since,
        until=window.until,
        minimum_age=asked.minimum_age,
        tally=found.tally,
        wait=asked.wait,
        tell=asked.tell,
    )


def _mend(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    difference: Difference,
    asked: Asked,
    found: _Found,
) -> None:
    assert difference.remedy is not None
    remedied = difference.remedy in found.remedied
    found.remedied.add(difference.remedy)
    made = repair(gateway, catalog, livemode, difference, remedied=remedied, wait=asked.wait)
    found.repaired += made.done
    found.leave(made.left)
    asked.repaired(made)


def _begin(livemode: bool, newest: Window) -> str:
    with transaction() as session:
        results.prune(session)
        run = Reconciliation(
            id=new_id("rec"), livemode=livemode, since=newest.since, until=newest.until or utcnow()
        )
        session.add(run)
        session.flush()
        return run.id


def _end(run_id: str, since: datetime | None, found: _Found, error: str | None) -> Reconciliation:
    with transaction() as session:
        run = session.get_one(Reconciliation, run_id, populate_existing=True)
        run.finished_at, run.since, run.error = utcnow(), since, error
        run.compared = sum(found.tally.listed.values())
        run.foreign_objects, run.moving = found.tally.foreign, found.tally.moving
        run.differences, run.repaired = sum(found.kinds.values()), found.repaired
        run.remaining, run.money_remaining = found.remaining, found.money_remaining
        run.counts = json.dumps(found.kinds, sort_keys=True)
        run.examples = json.dumps([results.plain(it) for it in found.first])
        run.fees = json.dumps(found.tally.fees, sort_keys=True)
    return db.session().get_one(Reconciliation, run_id)
