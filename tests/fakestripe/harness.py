"""Runs fakestripe as the program it is, on a free port, for the tests of anything that uses it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
_READY = re.compile(r"fakestripe is ready at (\S+)")

stripe.enable_telemetry = False  # it would write a file into the home directory

JSON = dict[str, Any]


@dataclass
class FakeStripe:
    """A running fakestripe: its address, its database, and its control interface."""

    url: str
    database: Path
    process: subprocess.Popen[str]
    session: requests.Session = field(default_factory=requests.Session)

    def client(self, key: str = "sk_test_fakestripe", **options: Any) -> stripe.StripeClient:
        """Return the unmodified SDK's client pointed at this server, without retries."""
        options.setdefault("max_network_retries", 0)
        return stripe.StripeClient(key, base_addresses={"api": self.url}, **options)

    def control(self, path: str, json: JSON | None = None, method: str | None = None) -> JSON:
        """Call `/_control/<path>`: GET without json, POST with it; fail unless it answers 2xx."""
        method = method or ("GET" if json is None else "POST")
        answer = self.session.request(method, f"{self.url}/_control/{path}", json=json, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        body: JSON = answer.json()
        return body

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what comes due is done when this returns."""
        self.control("clock", {"advance_seconds": seconds})

    def drain(self, seconds: float = 10) -> JSON:
        """Wait until every delivery is done; fail when one is not by then."""
        counts = self.control("drain", {"seconds": seconds})
        assert counts["drained"], counts
        return counts

    def register_webhook(self, url: str, events: tuple[str, ...] = ("*",)) -> JSON:
        """Register a webhook endpoint; return it with its `secret`."""
        params: Any = {"url": url, "enabled_events": list(events)}
        endpoint: JSON = self.client().v1.webhook_endpoints.create(params).to_dict()
        return endpoint

    def events(self, type: str = "*") -> list[JSON]:
        """Return the recorded events of a type or pattern, oldest first."""
        found: list[JSON] = self.control(f"events?limit=1000&type={type}")["data"]
        return found[::-1]

    def redelivers(self, type: str, times: int = 1) -> None:
        """Send the latest event of a type again."""
        self.control("redeliver", {"type": type, "times": times})

    def reset(self) -> None:
        """Forget everything, as if it had just been started with an empty database."""
        self.control("reset", {"webhook_endpoints": True})

    def kill(self) -> None:
        """End the process without warning, as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_fakestripe(
    tmp_path: Path, *, port: int = 0, database: str = "fakestripe.sqlite", **environment: str
) -> Iterator[FakeStripe]:
    """Run fakestripe as a process of its own on a free port; stop it at the end.

    The same `tmp_path` and `database` again means the same state again.
    """
    path = tmp_path / database
    command = [sys.executable, "-m", "storefront.fakestripe", "serve",
               "--port", str(port), "--database", str(path)]  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "STOREFRONT_"))}
    process = subprocess.Popen(
        command, cwd=ROOT, env={**clean, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        fake = FakeStripe(_wait_until_ready(process), path, process)
        with fake.session:
            yield fake
    finally:
        stop(process)


class KeptFakeStripe:
    """One fakestripe for many tests, each of which finds it as new: starting the program anew
    takes longer than most tests do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: ExitStack | None = None
        self._fake: FakeStripe | None = None
        self._started = 0

    @contextmanager
    def lent(self) -> Iterator[FakeStripe]:
        """The one that runs, emptied; another one if a test has ended it."""
        if self._fake is not None and self._fake.process.poll() is not None:
            self.stop()
        if self._fake is None:
            self._start()
        assert self._fake is not None
        self._fake.reset()
        yield self._fake

    def stop(self) -> None:
        if self._running is not None:
            self._running.close()
        self._running = self._fake = None

    def _start(self) -> None:
        self._started += 1
        self._running = ExitStack()
        database = f"kept-{self._started}.sqlite"
        self._fake = self._running.enter_context(
            running_fakestripe(self._folder, database=database)
        )


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Send a signal, wait, and return the exit code; kill what does not listen."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return process.returncode


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            found = _READY.search(line)
            if found:
                return found.group(1)
    finally:
        timer.cancel()
    raise AssertionError(f"fakestripe did not start:\n{''.join(lines)}")


@dataclass
class Received:
    """One webhook request as it arrived."""

    body: bytes
    headers: dict[str, str]

    @property
    def signature(self) -> str:
        """The `Stripe-Signature` header."""
        return self.headers["Stripe-Signature"]


class Receiver:
    """A webhook endpoint that keeps what it gets and answers with a settable status."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200
        self.statuses: list[int] = []  # answered first, one each
        self.wait_for: threading.Event | None = None  # answers are held until it is set
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.wait_for is not None:
            self.wait_for.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def types(self) -> list[str]:
        """Return the types of the received events, in the order of arrival."""
        return [stripe.Event.construct_from(_json(r.body), None).type for r in self.received]

    def wait(self, count: int, seconds: float = 10) -> list[Received]:
        """Wait until that many requests have arrived; fail when they do not come."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.received) >= count, seconds)
        assert arrived, f"{len(self.received)} of {count} webhooks arrived"
        return self.received

    def _take(self, received: Received) -> int:
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
            status = self.statuses.pop(0) if self.statuses else self.status
        if self.wait_for is not None:
            self.wait_for.wait(30)
        return status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = take(Received(body, dict(self.headers)))
                # A sender that has lost patience is gone by now.
                with suppress(ConnectionError):
                    self.answer(status, b'{"received": true}')

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler


def _json(body: bytes) -> JSON:
    import json

    parsed: JSON = json.loads(body)
    return parsed
