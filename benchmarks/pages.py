"""The pages that customers look at most, signed in, against a Flask hello-world.

Each round loads hello-world and then each page, for a customer with 20 movements of credits, which
/account shows on one page, and one with 500; a page's ratio is the median of the rounds' ratios.
Queries are counted in a process of its own. What a page costs the web processes is their CPU time
by the number of answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from flask import Flask
from sqlalchemy import event

from benchmarks import load
from benchmarks.customer import Customer, in_process, new_customer, put_on_sale
from benchmarks.frame import Bench, Measured, Ratio, Served, median
from benchmarks.plots import Bars
from storefront.db import db

NAME = "pages"
PAGES = ("/top-up", "/account", "/billing")
FEW, MANY = 20, 500
HELLO = "Flask hello-world"
OF_HELLO, MOST_QUERIES, CONSTANT = 0.25, 3, 0.8


@dataclass
class Rate:
    """What one load of one address showed."""

    per_second: float
    p99_ms: float
    cpu_ms: float


class Rates:
    """By address and length of the history, each round's."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, int], list[Rate]] = {}

    def add(self, page: str, history: int, rate: Rate) -> None:
        self.found.setdefault((page, history), []).append(rate)

    def of_hello(self, page: str, history: int) -> float:
        pairs = zip(self.found[page, history], self.found[HELLO, 0], strict=True)
        return median([one.per_second / hello.per_second for one, hello in pairs])

    def long_of_short(self, page: str) -> float:
        pairs = zip(self.found[page, MANY], self.found[page, FEW], strict=True)
        return median([long.per_second / short.per_second for long, short in pairs])

    def row(self, page: str, history: int) -> dict[str, float]:
        rates = self.found[page, history]
        return {
            "per_second": round(median([it.per_second for it in rates])),
            "of_hello_world": round(self.of_hello(page, history), 3),
            "p99_ms": round(median([it.p99_ms for it in rates]), 1),
            "web_cpu_ms": round(median([it.cpu_ms for it in rates]), 2),
        }


def measure(bench: Bench) -> Measured:
    load.require()
    url, secrets = bench.postgresql(), str(bench.folder / "pages")
    customers: dict[int, Customer] = {}
    rates, queries = Rates(), dict.fromkeys(PAGES, 0)
    for number in bench.each_round():
        with bench.serve("benchmarks.hello:app") as hello:
            rates.add(HELLO, 0, _load(bench, hello, "/healthz"))
        with bench.shop(url, STOREFRONT_INSTANCE=secrets) as shop:
            if not customers:
                put_on_sale(shop)
                customers = {size: new_customer(shop, f"with{size}", size) for size in (FEW, MANY)}
                queries = _queries(shop, customers)
            for page in PAGES:
                for size, customer in customers.items():
                    rates.add(page, size, _load(bench, shop, page, customer.cookie))
        said = ", ".join(f"{page} {rates.of_hello(page, MANY):.2f}" for page in PAGES)
        bench.say(f"  round {number}, of hello-world: {said}")
    return _measured(rates, queries)


def _measured(rates: Rates, queries: dict[str, int]) -> Measured:
    rows = {HELLO: rates.row(HELLO, 0)} | {
        f"{page}, {size} movements": rates.row(page, size) | {"queries": queries[page]}
        for page in PAGES
        for size in (FEW, MANY)
    }
    ratios = [
        Ratio(f"{page}, of hello-world", rates.of_hello(page, MANY), OF_HELLO, at_least=True)
        for page in PAGES
    ]
    ratios += [
        Ratio(f"{page}, queries", queries[page], MOST_QUERIES, at_least=False, unit="queries")
        for page in PAGES
    ]
    ratios += [
        Ratio(f"{page}, {MANY} movements of {FEW}", rates.long_of_short(page), CONSTANT, True)
        for page in PAGES
    ]
    bars = {name: row["per_second"] for name, row in rows.items() if not name.endswith(f" {FEW}")}
    plot = Bars("Pages, signed in", "requests per second", bars)
    note = f"/account shows {FEW} movements at a time."
    return Measured({"pages": rows}, ratios, [note], [plot])


def _load(bench: Bench, served: Served, path: str, cookie: str | None = None) -> Rate:
    headers = {"Cookie": cookie} if cookie else None
    load.steady(served.url + path, 1, headers=headers)  # templates and statements are compiled
    before = _cpu_seconds(served)
    found = load.steady(served.url + path, bench.seconds(3), headers=headers)
    cpu_ms = (_cpu_seconds(served) - before) * 1000 / found.answered
    return Rate(found.per_second, found.p99_ms, cpu_ms)


def _cpu_seconds(served: Served) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in served.pids()]
    return sum(it.user + it.system for it in times)


def _queries(shop: Served, customers: dict[int, Customer]) -> dict[str, int]:
    """The most that each page asks of the database, whichever customer looks at it."""
    counted = dict.fromkeys(PAGES, 0)
    with in_process(shop) as app:
        client = app.test_client(use_cookies=False)
        for page in PAGES:
            for customer in customers.values():
                with _counting(app) as seen:
                    answer = client.get(page, headers={"Cookie": customer.cookie})
                assert answer.status_code == 200, f"{page}: {answer.status}"
                counted[page] = max(counted[page], len(seen))
    return counted


@contextmanager
def _counting(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)
