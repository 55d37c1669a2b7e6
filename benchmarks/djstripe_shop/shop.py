"""Starts dj-stripe's shop and Stripe's stand-in for it, in an environment made on first use."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks import servers
from benchmarks.events import CREDITS
from benchmarks.servers import ROOT, SECRET, free_port, running, wait_until_up

PYTHON = ROOT / ".venv-djstripe/bin/python"
CONFIGURATION = ROOT / "benchmarks/djstripe_shop/gunicorn.conf.py"


def install() -> None:
    """Raises RuntimeError when dj-stripe cannot be installed."""
    if subprocess.run([sys.executable, ROOT / "bin/setup", "djstripe"], cwd=ROOT).returncode:
        raise RuntimeError("dj-stripe could not be installed")


@dataclass
class DjStripeShop:
    """A database with dj-stripe's tables; `serving` runs the shop on it."""

    url: str
    logs: Path
    path: str = ""

    def __post_init__(self) -> None:
        self.path = self.manage("migrate").strip()

    def open_payments(self, prefix: str, count: int) -> list[str]:
        """Payments that wait for their event, of known customers; their keys."""
        self.manage("open", prefix, str(count))
        return [f"{prefix}_{n}" for n in range(count)]

    def expect_credited(self, events: int) -> None:
        """Raises RuntimeError unless so many events were credited, each once."""
        found = [int(each) for each in self.manage("count").split()]
        if found != [events, events * CREDITS, events * CREDITS, 0]:
            raise RuntimeError(f"dj-stripe acknowledged {events} events and credited {found}")

    def manage(self, *arguments: str) -> str:
        command = [PYTHON, "-m", "benchmarks.djstripe_shop.manage", *arguments]
        environment = self._environment(servers.NOBODY)
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"dj-stripe: {arguments[0]} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def serving(self, delay_ms: int) -> Iterator["Serving"]:
        """The shop behind gunicorn, and a Stripe that takes so long to answer."""
        stripe, port = free_port(), free_port()
        stub = [sys.executable, "-m", "benchmarks.djstripe_shop.stub", str(stripe), str(delay_ms)]
        host = f"http://127.0.0.1:{stripe}"
        environment = self._environment(host) | {"PORT": str(port)}
        command = [str(PYTHON), "-m", "gunicorn", "--config", str(CONFIGURATION)]
        command.append("benchmarks.djstripe_shop.wsgi")
        log = self.logs / "djstripe.log"
        with running(stub, environment, log) as asked, running(command, environment, log) as shop:
            wait_until_up(asked, f"{host}/v1/asked", log)
            wait_until_up(shop, f"http://127.0.0.1:{port}/healthz", log)
            yield Serving(f"http://127.0.0.1:{port}{self.path}", host)

    def _environment(self, stripe: str) -> dict[str, str]:
        parts = urlsplit(self.url)
        return servers.own_environment(os.environ) | {
            "BENCH_DATABASE": parts.path.removeprefix("/"),
            "BENCH_DATABASE_FOLDER": parse_qs(parts.query)["host"][0],
            "BENCH_STRIPE": stripe,
            "BENCH_SECRET": SECRET,
            "PYTHONPATH": str(ROOT),
        }


@dataclass(frozen=True)
class Serving:
    """Where events go, and the stand-in that is asked meanwhile."""

    url: str
    stripe: str

    def calls(self) -> dict[str, int]:
        """How often which part of Stripe's API was asked so far."""
        with urllib.request.urlopen(f"{self.stripe}/v1/asked", timeout=10) as found:  # noqa: S310
            calls: dict[str, int] = json.load(found)
        return {name: it for name, it in calls.items() if name != "asked"}
