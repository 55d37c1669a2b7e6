"""What the shop hears of it: events late, twice, in any order or never, workers that die. And what
makes up for that: catch-up, or a comparison with Stripe that repairs; jobs, sweeps, time."""

from datetime import timedelta
from typing import Any, Literal

from flask import Flask

from storefront import catching_up, handlers, jobs, ledger, reconciling, sweeping, work
from storefront.catalog import Catalog
from storefront.db import db, transaction, utcnow
from storefront.jobs import Job
from storefront.reconciling import Difference
from storefront.stripe_gateway import StripeGateway
from storefront.web import current
from tests.fakestripe.harness import JSON
from tests.histories.world import POINTS, World
from tests.support import books
from tests.support.builders import event_of

Healing = Literal["catch_up", "reconcile"]
ROUNDS = 6
"""Of healing: each may be killed, and what it finds may promise more."""


class Post:
    """Between Stripe and the shop. `healing` is what finds what was lost."""

    def __init__(self, world: World, healing: Healing) -> None:
        self.world, self.healing = world, healing
        self.app: Flask = world.shop.app
        self.chance, self.fate = world.chance, world.fate
        self.waiting: list[JSON] = []
        self.sent: list[JSON] = []
        self.known: set[str] = set()

    def collects(self) -> None:
        """Stripe has new events; some are lost for good."""
        fresh = [it for it in self.world.shop.stripe.events() if it["id"] not in self.known]
        self.known |= {it["id"] for it in fresh}
        for event in fresh:
            if self.chance.random() < 0.25:
                self.world.notes(f"  ({event['type']} {event['id']} is lost)")
            else:
                self.waiting.append(event)

    def delivers(self, share: float = 0.6) -> None:
        """Some of what waits, in any order, and some of what was sent before."""
        self.chance.shuffle(self.waiting)
        count = round(len(self.waiting) * share)
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        again = self.chance.sample(self.sent, min(len(self.sent), count // 3))
        for event in [*now, *again]:
            alive = self._does(lambda event=event: handlers.handle(event_of(self.app, event)))  # type: ignore[misc]
            (self.sent if alive else self.waiting).append(event)
            if not alive:
                self.world.notes(f"  (the shop dies {self.fate.deaths[-1]}, in {event['type']})")

    def works(self, mortal: bool = True) -> None:
        """A worker does what is due, and what the schedule says."""
        alive = self._does(self._work, mortal)
        if not alive:
            self.world.notes(f"  (the worker dies {self.fate.deaths[-1]})")

    def catches_up(self, mortal: bool = True) -> None:
        gateway = self.app.extensions["stripe_gateway"]
        self._does(lambda: catching_up.catch_up(gateway, eager=True), mortal)

    def before_a_month(self) -> None:
        """Stripe delivers within days, and lists events for thirty: nothing waits a month."""
        self.delivers(share=1.0)
        self.waiting = []
        if self.healing == "catch_up":
            self.catches_up(mortal=False)

    def heals(self) -> list[Difference]:
        """All that makes up for what was lost, until there is nothing left to do; and what Stripe
        and we still do not say alike then."""
        for _ in range(ROUNDS):
            self.works()
            if self.healing == "catch_up":
                self.catches_up()
            else:
                self._does(self._repair)
        self._does(self._sweep, mortal=False)
        for _ in range(ROUNDS):
            books.execute(self.app, *_NOW)
            self.works(mortal=False)
            with self.app.app_context():
                if self.healing == "reconcile":
                    self._repair()
                if self.healing == "catch_up":
                    catching_up.catch_up(current.gateway(), eager=True)
                found = list(reconciling.compare(*_who(), minimum_age=timedelta(0)))
            if not found and not self.troubles():
                return []
        return found

    def troubles(self) -> list[str]:
        """Jobs and events that did not come to their end, and books that do not add up."""
        with self.app.app_context():
            undone = db.session.scalars(db.select(Job).where(Job.done_at.is_(None))).all()
            found = [f"{job.key} {job.state(utcnow())}: {job.last_error}" for job in undone]
            with transaction() as session:
                ledger.seal(session)
            found += [f"{it.account}: {it.finding}" for it in ledger.verify(db.session())]
        events = books.read(self.app).events.values()
        bad = [it for it in events if it["state"] in ("failed", "parked")]
        return found + [f"{it['type']} {it['id']} {it['state']}: {it['last_error']}" for it in bad]

    def _work(self) -> int:
        registry, total = work.registry(current.work_context()), 0
        for each in ("retry_events", "follow_grants", "grant_plan_credits"):
            registry[each]({})
        while started := jobs.work_once(registry):
            total += started
        return total

    def _repair(self) -> None:
        for difference in list(reconciling.compare(*_who(), minimum_age=timedelta(0))):
            reconciling.repair(*_who(), difference)

    def _sweep(self) -> None:
        swept = list(sweeping.sweep(current.gateway(), timedelta(0)))
        assert [it for it in swept if it.error] == []

    def _does(self, work: Any, mortal: bool = True) -> bool:
        """Whether it was survived."""
        dies = mortal and self.chance.random() < 0.15
        alive, _ = self.fate.meets(work, self.chance.randint(1, POINTS) if dies else None)
        return alive


_NOW = (
    "UPDATE jobs SET run_at = created_at, given_up_at = NULL WHERE done_at IS NULL",
    "UPDATE stripe_events SET next_try_at = NULL WHERE state = 'failed'",
)
"""As if the time until the next try had passed."""


def _who() -> tuple[StripeGateway, Catalog, bool]:
    return current.gateway(), current.catalog(), False
