"""`flask worker` as it runs in production: a process beside the shop, on its database."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask import Flask

from storefront import ledger
from storefront.config import ROOT
from storefront.db import transaction, utcnow
from storefront.ledger import Order
from tests.support import books
from tests.support.apps import an_environment
from tests.support.builders import a_payment, a_user, deliver, paid
from tests.support.promised import states
from tests.support.served import eventually


@contextmanager
def flask_worker(folder: Path, database_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Its output goes into the file `worker.log` of the folder."""
    environment = os.environ | an_environment(database_url, STOREFRONT_INSTANCE=str(folder))
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def test_the_worker_mails_receipts_expires_credits_and_ends_when_told(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    ada = a_user(app)
    with app.app_context(), transaction() as session:
        yesterday = utcnow() - timedelta(days=1)
        order = Order("grant", "plan_grant", ada.id, 50, expires_at=yesterday)
        ledger.transfer(session, order)
    with flask_worker(tmp_path, database_url) as worker:
        log = tmp_path / "worker.log"
        eventually(lambda: "worker: ready" in log.read_text(), "it starts")
        eventually(lambda: books.balance(app, ada.id) == 0, "the schedule's first run")
        purchase = a_payment(app, ada)
        deliver(app.test_client(), paid(purchase))
        key = f"mail_receipt:{purchase.id}"
        eventually(lambda: states(app).get(key) == "done", "the receipt")
        assert f"To: {ada.email}" in log.read_text()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert log.read_text().endswith("worker: ended\n")
    assert books.balance(app, ada.id) == 1000


def test_once_does_what_is_due_and_ends(app: Flask) -> None:
    for _ in range(3):
        deliver(app.test_client(), paid(a_payment(app)))
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    first = app.test_cli_runner().invoke(args=["worker", "--once"])
    second = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert first.exit_code == second.exit_code == 0
    promised = {key: state for key, state in states(app).items() if not key.startswith("run:")}
    assert set(promised.values()) == {"done"}, "(a run may promise its rest for later)"
    assert sum(key.startswith("mail_receipt:") for key in states(app)) == 3
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert handlers == before
