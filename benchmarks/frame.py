"""What every benchmark is given and what it gives back.

A benchmark is a module with a `NAME` and `measure(bench: Bench) -> Measured`. It takes databases
and servers from `bench`, which starts them as in production and stops them, and measures
competitors alternately, round by round:

    for number in bench.each_round():     # waits for an idle machine first
        with bench.shop(url) as shop:
            rates.append(load.steady(f"{shop.url}/top-up", bench.seconds(5)).per_second)

Raise Skipped where the machine lacks something; say what.
"""

import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine, servers
from benchmarks.plots import Plot
from benchmarks.servers import Served

IN_MEMORY = Path("/dev/shm")  # noqa: S108  a folder with a name of its own is made there


class Skipped(Exception):
    """This benchmark cannot run here; the message says what is missing."""


@dataclass(frozen=True)
class Ratio:
    """What is compared with a goal. `at_least`: more is better; otherwise less is. `unit` is for
    goals that are none of two figures ("ms", "queries"); a ratio has none."""

    name: str
    value: float
    goal: float
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True)
class Measured:
    """What a benchmark found.

    `figures` become tables of the page: a list of dicts is a table with a row each, a dict of dicts
    one whose first column is the key, other values are rows of a table of two columns. Names are
    words with underscores, units last (`p99_ms`). What stands under "raw" is kept in the JSON
    alone. `notes` are sentences.
    """

    figures: dict[str, Any]
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)


class Bench:
    """One run of benchmarks. A context manager: its end stops and removes what was started."""

    def __init__(self, *, quick: bool = False, rounds: int | None = None) -> None:
        self.quick = quick
        self.rounds = rounds or (1 if quick else 3)
        self.load: list[dict[str, Any]] = []
        self._stack = ExitStack()
        self._postgresql: servers.Postgresql | None = None
        self._made = 0

    def __enter__(self) -> "Bench":
        self.folder = self._folder(None)
        # The shop's log is written, and is no part of what the disk is measured by.
        self.logs = self._folder(IN_MEMORY if IN_MEMORY.is_dir() else None)
        self.template = self.folder / "template.sqlite"
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _folder(self, parent: Path | None) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def say(self, line: str) -> None:
        print(line, flush=True)

    def seconds(self, usual: float, quick: float = 1) -> float:
        """How long to load something: `usual`, or `quick` in a quick run."""
        return quick if self.quick else usual

    def count(self, usual: int, quick: int) -> int:
        """How many of something: `usual`, or `quick` in a quick run."""
        return quick if self.quick else usual

    def each_round(self) -> Iterator[int]:
        """The numbers of the rounds, from 1, each after waiting for an idle machine."""
        for number in range(1, self.rounds + 1):
            self.wait_until_quiet(f"round {number}")
            yield number

    def wait_until_quiet(self, before: str) -> None:
        """Wait for idle processors, 20 seconds at most, and note what others took all the same.
        PostgreSQL writes its checkpoint now, not while something is measured."""
        if self._postgresql is not None:
            self._postgresql.checkpoint()
        found = machine.wait_until_idle(self.seconds(machine.PATIENCE_SECONDS, 2))
        self.load.append({"before": before, **found})

    def postgresql(self, *, empty: bool = False) -> str:
        """The URL of a new database with the shop's tables (or `empty`) on a PostgreSQL that waits
        for the disk at each commit."""
        if self._postgresql is None:
            self._postgresql = servers.Postgresql(self.folder / "pg")
            self._stack.callback(self._postgresql.stop)
        self._made += 1
        return self._postgresql.database(f"bench_{self._made}", empty=empty)

    def sqlite(self) -> str:
        """The URL of a new SQLite file with the shop's tables."""
        if not self.template.exists():
            servers.migrate(f"sqlite:///{self.template}", self.folder)
        self._made += 1
        path = self.folder / f"bench_{self._made}.sqlite"
        shutil.copy(self.template, path)
        return f"sqlite:///{path}"

    @contextmanager
    def shop(self, url: str, **settings: str) -> Iterator[Served]:
        """The shop on this database behind gunicorn. `settings` are environment variables. Its
        webhook's secret is servers.SECRET; nothing listens at its STRIPE_API_BASE unless given."""
        with self.serve("wsgi:app", DATABASE_URL=url, **settings) as served:
            yield served

    @contextmanager
    def serve(self, app: str, **environment: str) -> Iterator[Served]:
        """A WSGI application of ours ("benchmarks.hello:app") behind the same gunicorn with the
        same gunicorn.conf.py; it must answer GET /healthz."""
        self._made += 1
        instance = self.folder / f"instance_{self._made}"
        log = self.logs / f"gunicorn_{self._made}.log"
        variables = {"DATABASE_URL": servers.NO_DATABASE, "STOREFRONT_INSTANCE": str(instance)}
        with servers.gunicorn(app, log, variables | environment) as served:
            yield served

    @contextmanager
    def fakestripe(self) -> Iterator[Any]:
        """A running fakestripe (tests/fakestripe/harness.py), with its `url`."""
        from tests.fakestripe.harness import running_fakestripe

        with running_fakestripe(self._folder(None)) as fake:
            yield fake

    @property
    def postgresql_bin(self) -> Path:
        """The folder of PostgreSQL's own programs, pgbench among them."""
        return servers.postgresql_bin()

    @property
    def postgresql_server(self) -> servers.Postgresql:
        """The running server, started by the first postgresql()."""
        assert self._postgresql is not None, "postgresql() first"
        return self._postgresql


def median(values: list[float]) -> float:
    return statistics.median(values)


def own_environment(**variables: str) -> dict[str, str]:
    """The environment without anybody's settings of the shop, and with these."""
    return servers.own_environment(os.environ) | variables
