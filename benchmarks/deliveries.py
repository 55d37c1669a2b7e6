"""Events delivered to the shop, each acknowledged and credited once, or the benchmark fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import events, load
from benchmarks.frame import Bench, Served
from benchmarks.load import Load
from benchmarks.payments import expect_credited, open_payments

PATIENCE_SECONDS = 90
WARM_EVENTS = 320


class Deliveries:
    """All that was ever delivered to one database."""

    def __init__(self, bench: Bench, url: str) -> None:
        self.url = url
        self.acknowledged = 0
        self._bench = bench

    @contextmanager
    def warm_shop(self, name: str, **settings: str) -> Iterator[Served]:
        """The shop after its first requests: with them a process loads modules and connects."""
        with self._bench.shop(self.url, **settings) as served:
            warming = keys(f"warm{name}", self._bench.count(WARM_EVENTS, 64))
            self.open(warming)
            send(self._bench, webhook_of(served), warming)
            self.acknowledge(len(warming))
            yield served

    def deliver(
        self, served: Served, names: list[str], *, new: int | None = None, customer: str = ""
    ) -> Load:
        """Deliver an event for each key, of which `new` (all, if not said) are to be credited."""
        if new != 0:
            self.open(list(dict.fromkeys(names)), customer)
        self._bench.wait_until_quiet("events")
        found = send(self._bench, webhook_of(served), names, customer)
        self.acknowledge(len(names) if new is None else new)
        return found

    def open(self, names: list[str], customer: str = "") -> None:
        open_payments(self.url, names, customer or None)

    def acknowledge(self, count: int) -> None:
        """So many more were acknowledged. Raises RuntimeError unless all were credited once."""
        self.acknowledged += count
        expect_credited(self.url, self.acknowledged)


def keys(prefix: str, count: int) -> list[str]:
    return [f"{prefix}_{n}" for n in range(count)]


def webhook_of(served: Served) -> str:
    return f"{served.url}/stripe/webhook"


def send(bench: Bench, address: str, names: list[str], customer: str = "") -> Load:
    file = events.write(bench.folder / "requests.tsv", names, customer or None)
    return load.each_once(address, file, PATIENCE_SECONDS)
