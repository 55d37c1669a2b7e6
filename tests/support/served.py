"""The shop behind a real HTTP server in a thread, wired to a fakestripe that delivers to it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from storefront import jobs, provisioning, work
from storefront.web import current
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import Customer, a_user
from tests.support.shopping import opens

SOON_SECONDS = 60  # patience on a busy machine; nothing is timed here


@dataclass
class ServedShop:
    """A shop at `url`; what a buyer does at Stripe is done by `buys` and `pays`."""

    app: Flask
    url: str
    stripe: FakeStripe

    def a_buyer(self) -> Customer:
        return a_user(self.app, stripe_id=None)

    def pays(self, intent_id: str, card: str = "pm_card_visa") -> Any:
        """Confirm an intent with a test card, as Stripe.js would; a decline is no error here."""
        params: Any = {"payment_method": card, "return_url": f"{self.url}/payments/x"}
        return self.stripe.session.post(
            f"{self.stripe.url}/v1/payment_intents/{intent_id}/confirm",
            data=params,
            auth=("sk_test_fakestripe", ""),
            timeout=30,
        )

    def buys(self, buyer: Customer, pack: str, key: str, card: str = "pm_card_visa") -> str:
        """Open a payment and pay it; its id."""
        opened = opens(self.app, buyer, pack, key)
        self.pays(opened.intent_id, card)
        return opened.payment_id

    def apply_catalog(self) -> None:
        """Make the catalogue's products and prices at fakestripe, and have them for sale: what
        `flask catalog apply` does."""
        with self.app.app_context():
            applied = provisioning.apply(current.gateway(), current.catalog())
            assert applied.problems == ()

    def work_once(self) -> int:
        """Do all jobs that are due, and those that they promise, as a worker does but without the
        schedule; how many were started. One that fails stays behind with its error, and tries
        again later: see tests/support/promised.py."""
        with self.app.app_context():
            registry, total = work.registry(current.work_context()), 0
            while started := jobs.work_once(registry):
                total += started
            return total

    def balance(self, buyer: Customer) -> int:
        return books.balance(self.app, buyer.id)

    def status(self, payment_id: str) -> str:
        status: str = books.read(self.app).payments[payment_id]["status"]
        return status


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is true, with a deadline and no fixed sleep."""
    deadline = time.monotonic() + SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


@contextmanager
def served_shop(root: Path, database_url: str, stripe: FakeStripe) -> Iterator[ServedShop]:
    """Serve the shop on a free port. Its endpoint is registered at fakestripe first, since the
    signing secret is one of its settings."""
    # Bound before there is an app: the endpoint's address must be known to get its secret.
    door = Door()
    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=QuietHandler)
    url = f"http://127.0.0.1:{server.server_port}"
    endpoint = stripe.register_webhook(f"{url}/stripe/webhook")
    secret, base = endpoint["secret"], stripe.url
    settings = some_settings(
        root, database_url, STRIPE_WEBHOOK_SECRET=secret, STRIPE_API_BASE=base, APP_URL=url
    )
    with closing(an_app(settings)) as app, serving(server, door, app):
        yield ServedShop(app, url, stripe)


@contextmanager
def serving(server: BaseWSGIServer, door: "Door", app: Flask) -> Iterator[None]:
    """Serve the app behind the door; at the end nobody is left inside: a webhook that is still
    being handled would lose its connection to the database, and some later test be blamed."""
    door.app = app
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        door.shut()
        server.shutdown()
        thread.join()
        server.server_close()


class Door:
    """A WSGI application that lets requests in to `app` until it is shut."""

    def __init__(self) -> None:
        self.app: Flask | None = None
        self._inside, self._open = 0, True
        self._moved = threading.Condition()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._moved:
            if self.app is None or not self._open:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            self._inside += 1
        try:
            return self.app(environ, start_response)
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify_all()

    def shut(self) -> None:
        """Let nobody in any more, and wait for who is inside."""
        with self._moved:
            self._open = False
            assert self._moved.wait_for(lambda: self._inside == 0, SOON_SECONDS)


class QuietHandler(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""
