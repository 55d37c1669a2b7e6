"""A whole shop under test: on PostgreSQL two web servers with two processes each and two workers,
the database behind a network that can be cut; on SQLite one web process and one worker."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import requests
from flask import Flask

from storefront import provisioning
from storefront.db import db
from tests.fakestripe.harness import FakeStripe
from tests.faults.bank import Operator
from tests.faults.postgresql import Postgresql, a_postgresql
from tests.faults.processes import Node, Nursery, Processes
from tests.faults.proxy import Proxy, a_proxy
from tests.support import apps, databases
from tests.support.shop import clean_environment, free_port

HERE = Path(__file__).parent
GUNICORN = ["--config", "gunicorn.conf.py", "tests.faults.host:app"]


@dataclass(frozen=True)
class Size:
    """How many of each; `processes` is of each web server. A lease is short, so that a worker can
    stand still for longer."""

    webs: int
    processes: int
    workers: int
    customers: int
    lease_seconds: float = 5.0


SIZES = {"postgresql": Size(2, 2, 2, 5), "sqlite": Size(1, 1, 1, 4)}


@dataclass
class Shop:
    """`app` is the shop in this process, with a connection of its own that no fault hits: for
    operators' commands, and for reading the books at the end."""

    database: str
    folder: Path
    app: Flask
    stripe: FakeStripe
    processes: Processes
    urls: list[str]
    books_url: str
    size: Size
    server: Postgresql | None = None
    proxy: Proxy | None = None

    def ready(self) -> bool:
        """Whether all web servers answer, and their database."""
        return all(map(_answers, self.urls))

    def flask(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the shop's; how it ended, and what it said. It begins without
        connections, as a process does that was just started."""
        with self.app.app_context():
            db.engine.dispose()
        done = self.app.test_cli_runner().invoke(args=arguments)
        died = done.exception if not isinstance(done.exception, SystemExit) else None
        return done.exit_code, f"{done.output}{died or ''}"


@contextmanager
def a_shop(
    database: str, folder: Path, stripe: FakeStripe, nursery: Nursery, size: Size
) -> Iterator[Shop]:
    """A shop that sells everything, up and answering."""
    with ExitStack() as stack:
        server = proxy = None
        if database == "postgresql":
            server = stack.enter_context(a_postgresql())
            proxy = stack.enter_context(a_proxy(server.socket))
            books_url = server.url()
            database_url = f"postgresql://postgres@127.0.0.1:{proxy.port}/shop?sslmode=disable"
        else:
            books_url = database_url = f"sqlite:///{folder / 'shop.sqlite3'}"
        ports = [free_port() for _ in range(size.webs)]
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        secrets = [stripe.register_webhook(f"{url}/stripe/webhook")["secret"] for url in urls]
        settings = _settings(folder, stripe, secrets)
        nodes = _nodes(folder, apps.an_environment(database_url, **settings), ports, size)
        databases.migrate(books_url)
        app = apps.an_app(apps.some_settings(folder, books_url, **settings))
        stack.enter_context(apps.closing(app))
        processes = Processes(nursery, nodes)
        stack.callback(processes.stop)
        processes.start()
        _sell(app)
        yield Shop(database, folder, app, stripe, processes, urls, books_url, size, server, proxy)


def an_operator(shop: Shop, chance: Random, patience_seconds: float) -> Operator:
    """Somebody with an account that was made an operator's."""
    operator = Operator("operator", shop.urls, shop.stripe.url, chance, patience_seconds)
    operator.comes()
    assert shop.flask("users", "promote", operator.email)[0] == 0
    return operator


def _settings(folder: Path, stripe: FakeStripe, secrets: list[str]) -> dict[str, str]:
    return {
        "APP_URL": "http://127.0.0.1",
        "CATALOG_PATH": str(HERE / "catalog.toml"),
        "LOG_FORMAT": "json",
        "STOREFRONT_INSTANCE": str(folder),
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_WEBHOOK_SECRET": ",".join(secrets),
        "TMPDIR": str(folder),
    }


def _nodes(folder: Path, settings: dict[str, str], ports: list[int], size: Size) -> list[Node]:
    environment = clean_environment() | settings | {"PYTHONUNBUFFERED": "1"}
    webs = [
        Node(
            f"web-{port}",
            "gunicorn",
            GUNICORN,
            environment | {"PORT": str(port), "WEB_CONCURRENCY": str(size.processes)},
            folder,
        )
        for port in ports
    ]
    work = ["--app", "tests.faults.host:app", "worker", f"--lease={size.lease_seconds}"]
    workers = [
        Node(f"worker-{number}", "flask", work, environment, folder)
        for number in range(size.workers)
    ]
    return [*webs, *workers]


def _sell(app: Flask) -> None:
    with app.app_context():
        gateway, catalog = app.extensions["stripe_gateway"], app.extensions["catalog"]
        assert provisioning.apply(gateway, catalog).problems == ()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False
