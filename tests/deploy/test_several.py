"""Two web servers and two workers, each a program of its own, share one PostgreSQL and nothing
else. Both servers are told of every event, at once; one of each kind is killed on the way."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import ledger, provisioning
from storefront.config import ROOT
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from tests.fakestripe.harness import FakeStripe
from tests.support import apps, databases
from tests.support.builders import PASSWORD
from tests.support.served import eventually
from tests.support.shop import clean_environment, free_port

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
GUNICORN = ["gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]
WORKER = ["flask", "--app", "wsgi", "worker"]


class Nodes:
    """The programs, each with its log. `a` and `b` are the servers' addresses, `figures` is where
    the first worker shows its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        ports = free_port(), free_port()
        self.a, self.b = (f"http://127.0.0.1:{port}" for port in ports)
        self.figures = f"http://127.0.0.1:{free_port()}"
        self._ports = dict(zip(("web-a", "web-b"), map(str, ports), strict=True))

    def start(self, secrets: str) -> None:
        """All at once; starting is what takes the time."""
        self._environment["STRIPE_WEBHOOK_SECRET"] = secrets
        self._begin("web-a", GUNICORN, PORT=self._ports["web-a"], WEB_CONCURRENCY="2")
        self._begin("web-b", GUNICORN, PORT=self._ports["web-b"], WEB_CONCURRENCY="1")
        self._begin("worker-a", WORKER, WORKER_METRICS_PORT=self.figures.rpartition(":")[2])
        self._begin("worker-b", WORKER)
        for name in ("worker-a", "worker-b"):
            eventually(lambda name=name: "worker: ready" in self.log(name), f"{name} starts")
        for url in (self.a, self.b):
            eventually(lambda url=url: _answers(url), f"{url} answers")

    def kill(self, name: str) -> None:
        """With all its processes, which get no chance to tidy up."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(30)

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()

    def told(self, message: str) -> list[dict[str, Any]]:
        """The lines of this message in all logs."""
        texts = [log.read_text() for log in sorted(self._folder.glob("*.log"))]
        lines = [line for text in texts for line in text.splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line["message"] == message]

    def _begin(self, name: str, command: list[str], **settings: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self._environment | {"PYTHONUNBUFFERED": "1", **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


class Shopper:
    """A customer whose every request may be answered by the other server."""

    def __init__(self, nodes: Nodes, stripe: FakeStripe) -> None:
        self.nodes, self.stripe = nodes, stripe
        self.session = requests.Session()

    def posts(self, url: str, page: str, path: str, **fields: str) -> requests.Response:
        token = self._token(url + page, r'name="csrf_token"[^>]*value="([^"]+)"')
        form = {"csrf_token": token, **fields}
        answer = self.session.post(url + path, form, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, answer.text
        return answer

    def opens(self, url: str, order_key: str) -> dict[str, str]:
        token = self._token(f"{url}/top-up", r'data-csrf-token="([^"]+)"')
        answer = self.session.post(
            f"{url}/payments/create-payment-intent",
            json={"pack": "usd_10", "order_key": order_key},
            headers={"X-CSRFToken": token},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        opened: dict[str, str] = answer.json()
        return opened

    def pays(self, intent_id: str) -> None:
        params: Any = {"payment_method": "pm_card_visa", "return_url": f"{self.nodes.a}/"}
        self.stripe.client().v1.payment_intents.confirm(intent_id, params)

    def has(self, url: str, balance: int) -> None:
        eventually(lambda: self.balance(url) == balance, f"a balance of {balance} at {url}")

    def balance(self, url: str) -> int:
        answer = self.session.get(f"{url}/balance", timeout=30)
        balance: int = answer.json()["balance"]
        return balance

    def _token(self, url: str, pattern: str) -> str:
        found = re.search(pattern, self.session.get(url, timeout=30).text)
        assert found, f"no token on {url}"
        return found[1]


@pytest.fixture
def database_url(new_postgresql_database: Callable[[], str]) -> str:
    return new_postgresql_database()


@pytest.fixture
def nodes(tmp_path: Path, database_url: str, fakestripe: FakeStripe) -> Iterator[Nodes]:
    environment = apps.an_environment(
        database_url,
        STRIPE_API_BASE=fakestripe.url,
        APP_URL="http://127.0.0.1",
        LOG_FORMAT="json",
        STOREFRONT_INSTANCE=str(tmp_path),
        TMPDIR=str(tmp_path),
    )
    nodes = Nodes(tmp_path, clean_environment() | environment)
    urls = [f"{url}/stripe/webhook" for url in (nodes.a, nodes.b)]
    secrets = ",".join(fakestripe.register_webhook(url)["secret"] for url in urls)
    settings = apps.some_settings(tmp_path, database_url, STRIPE_API_BASE=fakestripe.url)
    with apps.closing(apps.an_app(settings)) as app, app.app_context():
        gateway, catalog = app.extensions["stripe_gateway"], app.extensions["catalog"]
        assert provisioning.apply(gateway, catalog).problems == ()
    with ExitStack() as stack:
        stack.callback(nodes.stop)
        nodes.start(secrets)
        yield nodes


def test_several_of_each_are_one_shop(
    nodes: Nodes, database_url: str, fakestripe: FakeStripe
) -> None:
    shopper = Shopper(nodes, fakestripe)
    with closing(shopper.session):
        buys_subscribes_and_is_refunded(shopper)
        nodes.kill("web-b")
        nodes.kill("worker-b")
        one_of_each_goes_on(shopper)
        figures_are_those_of_all_processes(shopper)
    the_worker_shows_its_own(nodes)
    nodes.stop()
    books_are_right(database_url)
    each_mail_was_sent_once(nodes)


def buys_subscribes_and_is_refunded(shopper: Shopper) -> None:
    a, b = shopper.nodes.a, shopper.nodes.b
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    shopper.posts(a, "/register", "/register", email=email, password=PASSWORD)
    opened = shopper.opens(a, "the-first-order-0001")
    assert shopper.opens(b, "the-first-order-0001") == opened, "one order, whoever answers"
    shopper.pays(opened["intent_id"])
    shopper.has(b, 1000)
    gone = shopper.posts(
        b, "/billing", "/billing/checkout", plan="premium_plan", interval="monthly"
    )
    details = {"card": {**CARD, "country": "US"}}
    requests.post(
        f"{gone.headers['Location']}/confirm", json=details, timeout=30
    ).raise_for_status()
    shopper.has(a, 6000)
    assert shopper.session.get(f"{b}/reports", timeout=30).status_code == 200
    shopper.stripe.client().v1.refunds.create({"payment_intent": opened["intent_id"]})
    shopper.has(b, 5000)


def one_of_each_goes_on(shopper: Shopper) -> None:
    a = shopper.nodes.a
    shopper.pays(shopper.opens(a, "the-second-order-002")["intent_id"])
    shopper.has(a, 6000)


def figures_are_those_of_all_processes(shopper: Shopper) -> None:
    """Whichever of the server's two processes is asked, it knows what both have counted."""
    a = shopper.nodes.a
    series = 'storefront_requests_total{method="GET",route="/reports",status="200"}'
    for _ in range(8):
        # A connection each, so that the kernel spreads them over the processes.
        requests.get(f"{a}/reports", cookies=shopper.session.cookies, timeout=30)
    for _ in range(4):
        told = requests.get(f"{a}/metrics", timeout=30).text
        assert f"{series} 8.0" in told
    assert re.search(r'storefront_stripe_calls_total{.*"create_payment_intent",outcome="ok"}', told)


def the_worker_shows_its_own(nodes: Nodes) -> None:
    """It is the only one by then, and does what the second purchase has promised."""
    series = 'storefront_jobs_total{kind="payment_settled",outcome="done"}'

    def shown() -> bool:
        return series in requests.get(f"{nodes.figures}/metrics", timeout=30).text

    eventually(shown, "the worker has counted its job")


def books_are_right(database_url: str) -> None:
    with databases.an_engine(database_url) as engine, Session(engine) as session:
        assert ledger.verify(session) == []
        assert ledger.sizes(session) == (1, 4)
        states = set(session.scalars(select(StripeEvent.state)))
        assert states <= {"handled", "ignored"}
        assert list(session.scalars(select(Job.key).where(Job.given_up_at.is_not(None)))) == []


def each_mail_was_sent_once(nodes: Nodes) -> None:
    done = [line["job"] for line in nodes.told("job done") if line["job"].startswith("mail_")]
    assert len(done) == len(set(done))
    assert len([job for job in done if job.startswith("mail_receipt:")]) >= 1
    handled = [line["event_id"] for line in nodes.told("event") if line["outcome"] == "handled"]
    assert len(handled) == len(set(handled)), "of two deliveries one is a duplicate"


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False
