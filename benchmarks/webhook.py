"""Webhook to committed credit: the shop against dj-stripe, pgbench and a Flask hello-world.

Signed `payment_intent.succeeded` events, each for another payment, 16 connections, everything on
this machine. Each round runs all competitors one after another, beginning with another one, and
each ratio is the median of the rounds' ratios. After each run every acknowledged event must be
credited once; at the end the ledger must verify.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict

from benchmarks import events, load, pgbench
from benchmarks.deliveries import Deliveries, keys, send
from benchmarks.djstripe_shop import shop as djstripe_shop
from benchmarks.frame import Bench, Measured, Ratio, median
from benchmarks.load import Load
from benchmarks.plots import Bars
from benchmarks.servers import environment_of, run_flask

NAME = "webhook"
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
        self.postgresql = Deliveries(bench, bench.postgresql())
        self.sqlite = Deliveries(bench, bench.sqlite())
        self.script = pgbench.recorded(bench, self.postgresql.url)
        self.postgresql.acknowledge(pgbench.PROBED)
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
        each, prefix = self.bench.count(1500, 60), f"pg{number}"
        total = each * load.CONNECTIONS
        self.postgresql.open(keys(prefix, total))
        self.bench.wait_until_quiet(f"round {number}, pgbench")
        found = pgbench.run(self.bench, self.postgresql.url, self.script, prefix, each)
        self.found[PGBENCH].append(found)
        self.postgresql.acknowledge(total)

    def shop(self, number: int) -> None:
        """One start of the shop, so that its variants differ in the events alone."""
        bench, found, to = self.bench, self.found, self.postgresql
        with to.warm_shop(f"up{number}", STRIPE_API_BASE=self.stripe) as served:
            spread = keys(f"spread{number}", bench.count(6000, 400))
            found[SPREAD].append(to.deliver(served, spread))
            found[REPLAYS].append(to.deliver(served, spread, new=0))
            hot = keys(f"hot{number}", bench.count(5000, 400))
            found[HOT].append(to.deliver(served, hot, customer=f"hot{number}_c"))
            half = keys(f"half{number}", bench.count(3000, 200))
            twice = [*half, *half]
            random.Random(number).shuffle(twice)
            found[HALF].append(to.deliver(served, twice, new=len(half)))

    def deaf_shop(self, number: int) -> None:
        """Nothing listens where Stripe's API should be."""
        with self.postgresql.warm_shop(f"down{number}") as served:
            names = keys(f"down{number}", self.bench.count(6000, 400))
            self.found[DOWN].append(self.postgresql.deliver(served, names))

    def shop_on_sqlite(self, number: int) -> None:
        with self.sqlite.warm_shop(f"lite{number}", STRIPE_API_BASE=self.stripe) as served:
            names = keys(f"lite{number}", self.bench.count(4000, 300))
            self.found[SQLITE].append(self.sqlite.deliver(served, names))

    def djstripe_shop(self, number: int, delay_ms: int) -> None:
        events_each = self.bench.count(700 if delay_ms == 0 else 350, 100)
        prefix = f"dj{number}x{delay_ms}"
        warm = self.djstripe.open_payments(f"warm{prefix}", DJSTRIPE_WARM_EVENTS)
        cold = self.djstripe.open_payments(prefix, events_each)
        with self.djstripe.serving(delay_ms) as served:
            send(self.bench, served.url, warm)
            before = sum(served.calls().values())
            self.found[DJSTRIPE[delay_ms]].append(send(self.bench, served.url, cold))
            self.calls.append((sum(served.calls().values()) - before) / len(cold))
        self.djstripe_acknowledged += len(warm) + len(cold)
        self.djstripe.expect_credited(self.djstripe_acknowledged)

    def expect_right_books(self) -> None:
        instance = str(self.bench.folder / "instance")
        for to in (self.postgresql, self.sqlite):
            environment = environment_of(DATABASE_URL=to.url, STOREFRONT_INSTANCE=instance)
            self.bench.say(f"  {run_flask(environment, 'ledger', 'verify').strip()}")

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
        total = self.postgresql.acknowledged + self.sqlite.acknowledged
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
