"""Webhook to committed credit: the shop against dj-stripe, pgbench and a Flask hello-world.

Signed `payment_intent.succeeded` events, each for another payment, 16 connections, everything on
this machine. Each round runs all competitors one after another, beginning with another one, and
each ratio is the median of the rounds' ratios. After each run every acknowledged event must be
credited once; at the end the ledger must verify.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from benchmarks import events, load, pgbench
from benchmarks.djstripe_shop import shop as djstripe_shop
from benchmarks.frame import Bench, Measured, Ratio, Served, median
from benchmarks.load import Load
from benchmarks.payments import expect_credited, open_payments
from benchmarks.plots import Bars

NAME = "webhook"
PATIENCE_SECONDS = 90
WARM_EVENTS = 320
DJSTRIPE_WARM_EVENTS = 48
DELAYS_MS = (0, 150)

HELLO = "Flask hello-world"
SPREAD = "shop, PostgreSQL"
HOT = "shop, all for one customer"
HALF = "shop, 50 % duplicates"
REPLAYS = "shop, replays only"
DOWN = "shop, Stripe's API down"
SQLITE = "shop, SQLite"
PGBENCH = "pgbench, the same statement"
DJSTRIPE = {0: "dj-stripe, Stripe at once", 150: "dj-stripe, Stripe in 150 ms"}
ORDER = (HELLO, PGBENCH, SPREAD, HOT, HALF, REPLAYS, DOWN, SQLITE, DJSTRIPE[0], DJSTRIPE[150])

GOALS = (
    ("events per second, of dj-stripe's with Stripe at once", SPREAD, DJSTRIPE[0], 20),
    ("events per second, of dj-stripe's with Stripe in 150 ms", SPREAD, DJSTRIPE[150], 45),
    ("events per second, of a Flask hello-world's requests", SPREAD, HELLO, 0.37),
    ("events per second, of pgbench's transactions", SPREAD, PGBENCH, 0.18),
    ("all for one customer, of spread over customers", HOT, SPREAD, 0.75),
    ("replays, of first deliveries", REPLAYS, SPREAD, 1.0),
    # The same within what two runs of one thing differ by.
    ("Stripe's API down, of up", DOWN, SPREAD, 0.95),
)
SLOWEST = "the shop's p99, of dj-stripe's p50 with Stripe at once"
SLOWEST_GOAL = 0.2


def measure(bench: Bench) -> Measured:
    load.require()
    djstripe_shop.install()
    run = Run(bench)
    with bench.fakestripe() as stripe:
        run.stripe = stripe.url
        for number in bench.each_round():
            run.round(number)
        run.expect_right_books()
    return Measured(run.figures(), run.ratios(), run.notes(), run.plots())


class Run:
    """Databases that live as long as the benchmark, what was acknowledged, and what was found."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.stripe = ""
        self.found: dict[str, list[Load]] = {name: [] for name in ORDER}
        self.postgresql, self.sqlite = bench.postgresql(), bench.sqlite()
        self.script = pgbench.recorded(bench, self.postgresql)
        self.acknowledged = {self.postgresql: pgbench.PROBED, self.sqlite: 0}
        self.djstripe = djstripe_shop.DjStripeShop(bench.postgresql(empty=True), bench.logs)
        self.djstripe_acknowledged = 0
        self.calls: list[float] = []

    def round(self, number: int) -> None:
        """Every competitor once; another one begins each time."""
        competitors = [
            self.hello, self.pgbench, self.shop, self.deaf_shop, self.shop_on_sqlite,
            *(lambda number, ms=ms: self.djstripe_shop(number, ms) for ms in DELAYS_MS),
        ]  # fmt: skip
        first = (number - 1) * 2 % len(competitors)
        for place, competitor in enumerate(competitors[first:] + competitors[:first]):
            if place:
                self.bench.wait_until_quiet(f"round {number}, competitor {place + 1}")
            competitor(number)
        self.bench.say(f"  round {number}: " + ", ".join(self._rates(number)))

    def _rates(self, number: int) -> Iterator[str]:
        for name, loads in self.found.items():
            yield f"{name} {loads[number - 1].per_second:,.0f}/s"

    def hello(self, _number: int) -> None:
        with self.bench.serve("benchmarks.hello:app") as served:
            address = f"{served.url}/healthz"
            load.steady(address, 1)
            self.found[HELLO].append(load.steady(address, self.bench.seconds(5)))

    def pgbench(self, number: int) -> None:
        each = self.bench.count(1500, 60)
        total, prefix = each * load.CONNECTIONS, f"pg{number}"
        open_payments(self.postgresql, [f"{prefix}_{n}" for n in range(total)])
        self.bench.wait_until_quiet(f"round {number}, pgbench")
        self.found[PGBENCH].append(
            pgbench.run(self.bench, self.postgresql, self.script, prefix, each)
        )
        self._acknowledge(self.postgresql, total)

    def shop(self, number: int) -> None:
        """One start of the shop, so that its variants differ in the events alone."""
        with self._served(self.postgresql, number, "up", STRIPE_API_BASE=self.stripe) as served:
            keys = self._keys(f"spread{number}", self.bench.count(6000, 400))
            self._deliver(SPREAD, served, self.postgresql, keys)
            self._deliver(REPLAYS, served, self.postgresql, keys, new=0)
            hot = self._keys(f"hot{number}", self.bench.count(5000, 400))
            self._deliver(HOT, served, self.postgresql, hot, customer=f"hot{number}_c")
            half = self._keys(f"half{number}", self.bench.count(3000, 200))
            twice = [*half, *half]
            random.Random(number).shuffle(twice)
            self._deliver(HALF, served, self.postgresql, twice, new=len(half))

    def deaf_shop(self, number: int) -> None:
        """Nothing listens where Stripe's API should be."""
        with self._served(self.postgresql, number, "down") as served:
            keys = self._keys(f"down{number}", self.bench.count(6000, 400))
            self._deliver(DOWN, served, self.postgresql, keys)

    def shop_on_sqlite(self, number: int) -> None:
        with self._served(self.sqlite, number, "lite", STRIPE_API_BASE=self.stripe) as served:
            keys = self._keys(f"lite{number}", self.bench.count(4000, 300))
            self._deliver(SQLITE, served, self.sqlite, keys)

    def djstripe_shop(self, number: int, delay_ms: int) -> None:
        events_each = self.bench.count(700 if delay_ms == 0 else 350, 100)
        prefix = f"dj{number}x{delay_ms}"
        warm = self.djstripe.open_payments(f"warm{prefix}", DJSTRIPE_WARM_EVENTS)
        keys = self.djstripe.open_payments(prefix, events_each)
        with self.djstripe.serving(delay_ms) as served:
            self._send(served.url, warm)
            before = sum(served.calls().values())
            self.found[DJSTRIPE[delay_ms]].append(self._send(served.url, keys))
            self.calls.append((sum(served.calls().values()) - before) / len(keys))
        self.djstripe_acknowledged += len(warm) + len(keys)
        self.djstripe.expect_credited(self.djstripe_acknowledged)

    def expect_right_books(self) -> None:
        for url in (self.postgresql, self.sqlite):
            with self.bench.shop(url) as served:
                self.bench.say(f"  {served.flask('ledger', 'verify').strip()}")

    @contextmanager
    def _served(self, url: str, number: int, name: str, **settings: str) -> Iterator[Served]:
        """The shop, warm: the first requests of a process load modules and connect."""
        with self.bench.shop(url, **settings) as served:
            keys = self._keys(f"warm{name}{number}", WARM_EVENTS)
            open_payments(url, keys)
            self._send(f"{served.url}/stripe/webhook", keys)
            self._acknowledge(url, len(keys))
            yield served

    def _keys(self, prefix: str, count: int) -> list[str]:
        return [f"{prefix}_{n}" for n in range(count)]

    def _deliver(
        self, name: str, served: Served, url: str, keys: list[str],
        *, new: int | None = None, customer: str | None = None,
    ) -> None:  # fmt: skip
        """Deliver an event for each key, of which `new` (all, if not said) are credited; all of
        them were acknowledged, or the load has failed."""
        if new != 0:
            open_payments(url, dict.fromkeys(keys), customer)
        self.bench.wait_until_quiet(name)
        address = f"{served.url}/stripe/webhook"
        self.found[name].append(self._send(address, keys, customer))
        self._acknowledge(url, len(keys) if new is None else new)

    def _send(self, address: str, keys: list[str], customer: str | None = None) -> Load:
        file = events.write(self.bench.folder / "requests.tsv", keys, customer)
        return load.each_once(address, file, PATIENCE_SECONDS)

    def _acknowledge(self, url: str, count: int) -> None:
        self.acknowledged[url] += count
        expect_credited(url, self.acknowledged[url])

    def _median(self, name: str, value: Callable[[Load], float]) -> float:
        return median([value(each) for each in self.found[name]])

    def _ratio(self, of: Callable[[int], float]) -> float:
        """The median of what each round says."""
        return round(median([of(place) for place in range(self.bench.rounds)]), 3)

    def figures(self) -> dict[str, object]:
        table = {}
        for name in ORDER:
            rates = [each.per_second for each in self.found[name]]
            table[name] = {
                "per_second": round(median(rates)),
                "lowest": round(min(rates)),
                "highest": round(max(rates)),
                "p50_ms": round(self._median(name, lambda each: each.p50_ms), 2),
                "p99_ms": round(self._median(name, lambda each: each.p99_ms), 2),
            }
        raw = {name: [asdict(each) for each in loads] for name, loads in self.found.items()}
        return {"medians_of_the_rounds": table, "raw": raw}

    def ratios(self) -> list[Ratio]:
        def rates(ours: str, theirs: str) -> float:
            return self._ratio(
                lambda n: self.found[ours][n].per_second / self.found[theirs][n].per_second
            )

        def slowest(place: int) -> float:
            return self.found[SPREAD][place].p99_ms / self.found[DJSTRIPE[0]][place].p50_ms

        return [
            *(Ratio(name, rates(*pair), goal, at_least=True) for name, *pair, goal in GOALS),
            Ratio(SLOWEST, self._ratio(slowest), SLOWEST_GOAL, at_least=False),
        ]

    def notes(self) -> list[str]:
        total = sum(self.acknowledged.values())
        return [
            f"{total:,} events were acknowledged by the shop and {self.djstripe_acknowledged:,} by "
            "dj-stripe; each was credited once, counted after every run. `flask ledger verify` "
            "found nothing at the end.",
            f"dj-stripe asked Stripe's stand-in {median(self.calls):.2f} times for each event; "
            "the shop never asks.",
            f"One event was {len(events.body('spread1_1234', 'spread1_1234', 1)):,} bytes long; "
            f"the shop sent PostgreSQL {self.script.statements} statement for it.",
        ]

    def plots(self) -> list[Bars]:
        rates = {name: round(self._median(name, lambda it: it.per_second)) for name in ORDER}
        late = {name: round(self._median(name, lambda it: it.p99_ms), 1) for name in ORDER}
        return [
            Bars("Webhook to committed credit", "events per second, more is better", rates),
            Bars("The slowest of a hundred", "p99 in ms, less is better", late),
        ]
