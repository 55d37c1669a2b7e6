"""The whole shop as customers meet it: gunicorn, a worker and fakestripe as processes of their own,
everything in the catalogue for sale."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from email import message_from_string, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
READY_TIMEOUT_SECONDS = 30
WORKER_READY = "worker: ready"
MAIL_BEGINS, MAIL_ENDS = "Content-Type: ", "-" * 79  # as the console shows one


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningShop:
    """One shop on one database, wired to one fakestripe by configuration alone."""

    def __init__(self, folder: Path, database_url: str, catalog: Path | None = None) -> None:
        self.folder, self.database_url = folder, database_url
        self.port, self.stripe_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.stripe_url = f"http://127.0.0.1:{self.stripe_port}"
        self.environment = clean_environment() | {
            "STOREFRONT_INSTANCE": str(folder),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "FAKESTRIPE_PORT": str(self.stripe_port),
            "REGISTRATIONS_PER_HOUR": "100000",
            "PAYMENTS_PER_HOUR": "100000",
            "TMPDIR": str(folder),  # what a killed process leaves goes with the test
        }
        if catalog is not None:
            self.environment["CATALOG_PATH"] = str(catalog)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> "RunningShop":
        self._prepare_stand_in()
        self.flask("db", "upgrade")
        self.start_stripe()
        self.start_web()
        self.flask("catalog", "apply")  # the web first: it is told of each product and price
        self.start_worker()
        return self

    def stop(self) -> None:
        ending = list(self._processes.values())
        for process in ending:
            process.send_signal(signal.SIGTERM)
        for process in ending:
            process.wait(30)
        self._processes.clear()

    def start_web(self) -> None:
        command = ["-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]
        self._begin("web", command, lambda: _answers(f"http://127.0.0.1:{self.port}/readyz"))

    def kill_web(self) -> None:
        """SIGKILL to gunicorn and its workers: nothing gets a chance to tidy up."""
        self._end("web", signal.SIGKILL)

    def start_worker(self) -> None:
        command = ["-m", "flask", "--app", "wsgi", "worker"]
        before = self.log("worker").count(WORKER_READY)
        self._begin("worker", command, lambda: self.log("worker").count(WORKER_READY) > before)

    def stop_worker(self) -> None:
        """As operators do: the job in hand is finished."""
        self._end("worker", signal.SIGTERM)

    def kill_worker(self) -> None:
        """SIGKILL in whatever it is doing; its job is another worker's after the lease."""
        self._end("worker", signal.SIGKILL)

    def start_stripe(self) -> None:
        command = ["-m", "flask", "--app", "wsgi", "fakestripe", "serve"]
        self._begin("fakestripe", command, lambda: _answers(f"{self.stripe_url}/_control/clock"))

    def restart(self) -> None:
        self.stop()
        self.start_stripe()
        self.start_web()
        self.start_worker()

    def flask(self, *arguments: str) -> str:
        """The output of a flask command; raises when it fails."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stripe(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask fakestripe's control: GET, or POST with a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.stripe_url}/_control/{path}",
            data=data,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stripe_api(self, method: str, path: str, **params: str) -> Any:
        """Call Stripe's API at fakestripe, as somebody at the Dashboard would."""
        request = urllib.request.Request(
            f"{self.stripe_url}/v1/{path}",
            method=method,
            data=urlencode(params).encode() if params else None,
            headers={"Authorization": "Bearer sk_test_ofTheDashboard"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def intents_of(self, email: str) -> list[dict[str, Any]]:
        """All payment intents of the customer with this address, as fakestripe holds them."""
        customers = self.stripe("objects?type=customer&limit=1000")["data"]
        mine = {each["id"] for each in customers if each["email"] == email}
        intents = self.stripe("objects?type=payment_intent&limit=1000")["data"]
        return [each for each in intents if each["customer"] in mine]

    def forget_faults(self) -> None:
        for path in ("faults", "webhook_faults"):
            request = urllib.request.Request(f"{self.stripe_url}/_control/{path}", method="DELETE")
            urllib.request.urlopen(request, timeout=10).close()

    def log(self, name: str) -> str:
        """What a process has said so far."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def mails_to(self, address: str) -> list[str]:
        """What the worker has sent to an address, oldest first: the subject, and the text."""
        printed = re.split(rf"^{MAIL_ENDS}$", self.log("worker"), flags=re.MULTILINE)[:-1]
        found = []
        for text in printed:
            mail = message_from_string(text[text.index(MAIL_BEGINS) :], policy=policy.default)
            if mail["To"] == address:
                found.append(f"{mail['Subject']}\n\n{mail.get_content()}")
        return found

    def _prepare_stand_in(self) -> None:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "fakestripe", "prepare"]
        command += [f"--webhook-url=http://127.0.0.1:{self.port}/stripe/webhook"]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        (self.folder / "fakestripe.env").write_text(done.stdout)

    def _begin(self, name: str, command: list[str], ready: Callable[[], bool]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment | {"PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready(name, ready)

    def _wait_until_ready(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._processes[name].poll() is not None:
                break
            if ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} did not start:\n{self.log(name)}")

    def _end(self, name: str, how: int) -> None:
        process = self._processes.pop(name)
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of the shop's."""
    prefixes = ("STRIPE_", "STOREFRONT_", "DATABASE_", "APP_", "SECRET_", "PORT", "FAKESTRIPE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
