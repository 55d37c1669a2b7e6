"""A burst: 20,000 webhooks as fast as they go in, while customers browse.

Nothing may be lost or doubled, the customers' pages must stay quick, and no web process may grow.
A browsing customer looks at the pages in turn, a fifth of a second after each answer.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

import psutil

from benchmarks import events, load
from benchmarks.customer import Browser, Customer, new_customer, put_on_sale
from benchmarks.frame import Bench, Measured, Ratio, Served
from benchmarks.load import Load
from benchmarks.pages import PAGES
from benchmarks.payments import expect_credited, open_payments
from benchmarks.plots import Lines

NAME = "burst"
PATIENCE_SECONDS = 60
CUSTOMERS, PAUSE_SECONDS = 8, 0.2
SAMPLE_SECONDS = 0.25
P99_MS, GROWTH = 500, 1.05
MIB = 1024 * 1024


@dataclass
class Seen:
    """What was seen while the burst lasted: milliseconds of each page, and memory over time."""

    pages_ms: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def growth(self) -> float:
        """Memory in the last quarter by that in the second: the first one fills caches."""
        quarter = max(1, len(self.memory) // 4)
        second, last = self.memory[quarter : 2 * quarter], self.memory[-quarter:]
        return statistics.median(_mib(last)) / statistics.median(_mib(second))


def measure(bench: Bench) -> Measured:
    load.require()
    count, url, seen = bench.count(20_000, 1_000), bench.postgresql(), Seen()
    keys = [f"burst_{number}" for number in range(count)]
    open_payments(url, keys)
    requests = bench.folder / "burst.tsv"
    with bench.shop(url) as shop:
        put_on_sale(shop)
        customers = [new_customer(shop, f"browsing{n}") for n in range(CUSTOMERS)]
        for customer in customers:
            _warm(shop, customer)
        bench.wait_until_quiet("the burst")
        events.write(requests, keys)
        with _aside(seen, *_watchers(seen, shop, customers)):
            webhook = f"{shop.url}/stripe/webhook"
            found = load.each_once(webhook, requests, bench.seconds(PATIENCE_SECONDS, 20))
        expect_credited(url, count)
        shop.flask("ledger", "verify")
    if seen.troubles:
        raise RuntimeError(f"a customer met this: {seen.troubles[0]}")
    return _measured(count, found, seen)


def _measured(count: int, webhooks: Load, seen: Seen) -> Measured:
    hundredths = statistics.quantiles(seen.pages_ms, n=100)
    memory = _mib(seen.memory)
    figures = {
        "webhooks": count,
        "webhooks_per_second": round(webhooks.per_second),
        "webhooks_p99_ms": round(webhooks.p99_ms, 1),
        "pages_looked_at": len(seen.pages_ms),
        "pages_p50_ms": round(hundredths[49], 1),
        "pages_p99_ms": round(hundredths[98], 1),
        "memory_of_a_web_process_at_first_MiB": round(memory[0], 1),
        "memory_of_a_web_process_at_the_end_MiB": round(memory[-1], 1),
    }
    ratios = [
        Ratio("p99 of customers' pages", round(hundredths[98], 1), P99_MS, False, unit="ms"),
        Ratio("memory, last quarter of second", round(seen.growth(), 3), GROWTH, at_least=False),
    ]
    note = f"{count:,} events acknowledged, {count:,} credited once; the ledger verifies."
    memory_plot = Lines(
        "Memory during the burst", "seconds", "MiB per web process", {"web": seen.memory}
    )
    return Measured(figures, ratios, [note], [memory_plot])


def _mib(samples: list[tuple[float, float]]) -> list[float]:
    return [mib for _, mib in samples]


def _warm(shop: Served, customer: Customer) -> None:
    browser = Browser(shop.url, customer.cookie)
    for path in PAGES:
        browser.get(path)
    browser.close()


Watcher = Callable[[threading.Event], None]


def _watchers(seen: Seen, shop: Served, customers: list[Customer]) -> Iterator[Watcher]:
    yield lambda over: _sample_memory(seen, shop, over)
    for number, customer in enumerate(customers):
        yield lambda over, it=customer, first=number: _browse(seen, shop, it, first, over)


@contextmanager
def _aside(seen: Seen, *watchers: Watcher) -> Iterator[None]:
    """Run these in threads until the end of the block."""
    over = threading.Event()
    threads = [threading.Thread(target=_noting, args=(seen, it, over)) for it in watchers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _noting(seen: Seen, watcher: Watcher, over: threading.Event) -> None:
    try:
        watcher(over)
    except Exception as trouble:  # noqa: BLE001  a thread's, told by the benchmark
        seen.troubles.append(repr(trouble))


def _browse(
    seen: Seen, shop: Served, customer: Customer, first: int, over: threading.Event
) -> None:
    browser = Browser(shop.url, customer.cookie)
    turn = cycle(PAGES[first % len(PAGES) :] + PAGES[: first % len(PAGES)])
    while not over.wait(PAUSE_SECONDS):
        seen.pages_ms.append(browser.get(next(turn)))
    browser.close()


def _sample_memory(seen: Seen, shop: Served, over: threading.Event) -> None:
    """The mean of the web processes' resident memory, over time."""
    processes = [psutil.Process(pid) for pid in shop.pids()]
    begun = time.monotonic()
    while not over.wait(SAMPLE_SECONDS):
        mib = statistics.mean(it.memory_info().rss for it in processes) / MIB
        seen.memory.append((round(time.monotonic() - begun, 2), round(mib, 2)))
