"""Customers who use the shop in a browser: signed in once through the real form, then reading."""

import http.client
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar

from flask import Flask

from benchmarks.servers import ROOT, Served
from storefront import config, create_app, ledger, users
from storefront.catalog import Plan, Price
from storefront.db import db, transaction
from storefront.ledger import Order
from storefront.prices import StripePrice

PASSWORD = "correct horse battery"  # noqa: S105
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Customer:
    """`id` is ours; `cookie` is what the browser sends with each request."""

    id: str
    cookie: str


def new_customer(shop: Served, name: str, movements: int = 0) -> Customer:
    """A new account with so many movements of credits, signed in."""
    email = f"{name}@example.com"
    with in_process(shop) as app, app.app_context():
        id = users.register(email, PASSWORD).id
        orders = [Order(f"{id}:{n}", "top_up", id, 10 + n) for n in range(movements)]
        with transaction() as session:
            ledger.transfer_all(session, orders)
    return Customer(id, sign_in(shop.url, email, PASSWORD))


@contextmanager
def in_process(shop: Served) -> Iterator[Flask]:
    """The same shop in this process."""
    app = create_app(config.load(shop.environment, root=ROOT))
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def sign_in(url: str, email: str, password: str) -> str:
    """The session's cookie, got by the form as a browser does."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{url}/login", timeout=TIMEOUT_SECONDS).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token, "the sign-in page has no token"
    form = {"csrf_token": token[1], "email": email, "password": password}
    sent = urllib.parse.urlencode(form).encode()
    browser.open(f"{url}/login", sent, timeout=TIMEOUT_SECONDS).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


class Browser:
    """One keep-alive connection of a customer."""

    def __init__(self, url: str, cookie: str) -> None:
        address = urllib.parse.urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        self._headers = {"Cookie": cookie}

    def get(self, path: str) -> float:
        """Read a page; how many milliseconds that took. Anything but 200 is an error."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return (time.perf_counter() - begun) * 1000

    def close(self) -> None:
        self._connection.close()


def put_on_sale(shop: Served) -> None:
    """Every price of the catalogue as Stripe would have it, so that Billing offers all plans."""
    with in_process(shop) as app, app.app_context(), transaction() as session:
        for plan in app.extensions["catalog"].plans:
            session.add_all(_price(plan, price) for price in plan.prices)


def _price(plan: Plan, price: Price) -> StripePrice:
    return StripePrice(
        id=f"price_{price.lookup_key}",
        product_id=f"prod_{plan.code}",
        plan=plan.code,
        interval=price.interval,
        amount=price.amount,
        currency=price.currency,
        current=True,
    )
