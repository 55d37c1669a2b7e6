"""More web processes and more workers against one, and what the next limit is."""

import time
from contextlib import ExitStack

import psycopg

from benchmarks import load
from benchmarks.deliveries import Deliveries, keys, send, webhook_of
from benchmarks.frame import Bench, Measured, median
from benchmarks.plots import Bars
from benchmarks.processors import spending
from benchmarks.servers import run_flask, worker

NAME = "scale"
PROCESSES = (1, 2, 4)
WORKERS = (1, 2)
READY_SECONDS = 8
DRAIN_SECONDS = 180
JOBS = "kind IN ('payment_settled', 'mail_receipt')"


def measure(bench: Bench) -> Measured:
    load.require()
    run = Run(bench)
    with bench.fakestripe() as stripe:
        run.stripe = stripe.url
        for number in bench.each_round():
            turn = 1 if number % 2 else -1  # not always the same one first
            for processes in PROCESSES[::turn]:
                run.deliver(number, processes)
            for workers in WORKERS[::turn]:
                run.drain(number, workers)
    return Measured(run.figures(), notes=run.notes(), plots=run.plots())


class Run:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.stripe = ""
        self.deliveries = Deliveries(bench, bench.postgresql())
        self.web: dict[int, list[dict[str, float]]] = {count: [] for count in PROCESSES}
        self.jobs: dict[int, list[float]] = {count: [] for count in WORKERS}

    def deliver(self, number: int, processes: int) -> None:
        """Events per second with so many web processes, and who worked for them."""
        name = f"web{processes}x{number}"
        names = keys(name, self.bench.count(5000, 300))
        settings = {"WEB_CONCURRENCY": str(processes), "STRIPE_API_BASE": self.stripe}
        with self.deliveries.warm_shop(name, **settings) as served:
            self.deliveries.open(names)
            self.bench.wait_until_quiet(name)
            with spending(served.pids(), self.bench.postgresql_server.pid) as spent:
                found = send(self.bench, webhook_of(served), names)
            self.deliveries.acknowledge(len(names))
        each = {f"{who}_ms": 1000 * it / len(names) for who, it in spent.seconds.items()}
        facts = {"per_second": found.per_second, "p99_ms": found.p99_ms, **each}
        self.web[processes].append({**facts, "processors_busy_percent": spent.busy_percent})

    def drain(self, number: int, workers: int) -> None:
        """Jobs per second of so many workers. Each payment has promised a job that promises its
        receipt; the receipt is written to the log, as without a mail server."""
        deliveries = Deliveries(self.bench, self.bench.postgresql())
        names = keys("job", self.bench.count(1500, 60))
        with self.bench.shop(deliveries.url, STRIPE_API_BASE=self.stripe) as served:
            deliveries.deliver(served, names)
            environment = served.environment
        with psycopg.connect(deliveries.url, autocommit=True) as connection, ExitStack() as running:
            # When all workers are up, and no sooner.
            connection.execute(
                f"UPDATE jobs SET run_at = now() + interval '{READY_SECONDS} s'".encode()
            )
            for place in range(workers):
                log = self.bench.logs / f"worker{workers}x{number}_{place}.log"
                running.enter_context(worker(environment, log))
            self._wait_until_done(connection, 2 * len(names))
            taken = connection.execute(
                f"SELECT extract(epoch FROM max(done_at) - min(done_at)) FROM jobs WHERE {JOBS}"
                .encode()
            ).fetchone()  # fmt: skip
        assert taken is not None
        self.jobs[workers].append(2 * len(names) / float(taken[0]))
        run_flask(environment, "ledger", "verify")

    def _wait_until_done(self, connection: psycopg.Connection, jobs: int) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        done = -1
        while time.monotonic() < deadline:
            row = connection.execute(
                f"SELECT count(*) FROM jobs WHERE {JOBS} AND done_at IS NOT NULL".encode()
            ).fetchone()
            done = row[0] if row else 0
            if done == jobs:
                return
            time.sleep(0.25)
        raise RuntimeError(f"{done} of {jobs} jobs were done after {DRAIN_SECONDS} seconds")

    def figures(self) -> dict[str, object]:
        web = {
            f"{count} web": {
                name: round(median([each[name] for each in found]), 3) for name in found[0]
            }
            for count, found in self.web.items()
        }
        jobs = {
            f"{count} workers" if count > 1 else "1 worker": {"jobs_per_second": round(median(it))}
            for count, it in self.jobs.items()
        }
        raw = {"web": self.web, "jobs": self.jobs}
        return {"web_processes": web, "workers": jobs, "raw": raw}

    def notes(self) -> list[str]:
        rates = {n: median([each["per_second"] for each in found]) for n, found in self.web.items()}
        drained = {count: median(it) for count, it in self.jobs.items()}
        busy = median([each["processors_busy_percent"] for each in self.web[2]])
        return [
            f"Two web processes handle {rates[2] / rates[1]:.2f} times the events of one, four "
            f"{rates[4] / rates[2]:.2f} times those of two; two workers do "
            f"{drained[2] / drained[1]:.2f} times the jobs of one.",
            f"With two web processes the processors were {busy:.0f} % busy. {_limit(busy)}",
        ]

    def plots(self) -> list[Bars]:
        web = {f"{n} web": round(median([it["per_second"] for it in found]))
               for n, found in self.web.items()}  # fmt: skip
        return [Bars("Events by web processes", "per second, more is better", web)]


def _limit(busy: float) -> str:
    if busy > 85:
        return (
            "The limit is the processors, which the shop, PostgreSQL and the load share: the "
            "next step is PostgreSQL on a machine of its own, then more web processes."
        )
    return (
        "They were not the limit: connections waited for the disk, or for each other. The next "
        "step is a disk that syncs faster."
    )
