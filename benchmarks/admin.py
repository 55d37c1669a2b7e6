"""The operators' pages with many rows: the median of each, over HTTP, one request at a time.

The database is filled by SQL: customers, and transfers, payments, events and jobs over a year.
"""

import http.cookiejar
import re
import statistics
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass

from sqlalchemy import create_engine

from benchmarks.frame import Bench, Measured, Served
from benchmarks.servers import ROOT
from storefront import config, create_app
from storefront.admin import days
from storefront.db import utcnow
from tests.admin.many import fill

NAME = "admin"
EMAIL, PASSWORD = "operator@example.com", "correct horse battery"
REQUESTS = 7


@dataclass(frozen=True)
class Filled:
    """How much there is to be shown."""

    customers: int
    transfers: int


def measure(bench: Bench) -> Measured:
    filled = Filled(bench.count(100_000, 1_000), bench.count(1_000_000, 5_000))
    url = bench.postgresql()
    _fill(url, filled)
    with bench.shop(url) as shop:
        _sum_up_days(shop)
        shop.flask("users", "create", EMAIL, "--password", PASSWORD)
        shop.flask("users", "promote", EMAIL)
        bench.wait_until_quiet("pages")
        pages = measure_pages(Operator(shop), filled)
    return Measured({"customers": filled.customers, "transfers": filled.transfers, "pages": pages})


def _fill(url: str, filled: Filled) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        fill(connection, filled.customers, filled.transfers // filled.customers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does in the hours it has
    engine.dispose()


def _sum_up_days(shop: Served) -> None:
    """What the worker does each hour."""
    app = create_app(config.load(shop.environment, root=ROOT))
    with app.app_context():
        days.keep(utcnow())


class Operator:
    """A browser of somebody who is signed in."""

    def __init__(self, shop: Served) -> None:
        self._url = shop.url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(jar)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.read("/login"))
        assert token
        form = {"csrf_token": token[1], "email": EMAIL, "password": PASSWORD}
        self._browser.open(f"{self._url}/login", urllib.parse.urlencode(form).encode()).close()

    def read(self, path: str) -> str:
        with self._browser.open(self._url + path, timeout=60) as answer:
            return answer.read().decode()


def measure_pages(operator: Operator, filled: Filled) -> dict[str, dict[str, int]]:
    found = {}
    for name, path in pages(operator, filled).items():
        times = []
        for _ in range(REQUESTS):
            started = time.monotonic()
            operator.read(path)
            times.append((time.monotonic() - started) * 1000)
        found[name] = {
            "median_ms": round(statistics.median(times)),
            "slowest_ms": round(max(times)),
        }
    return found


def pages(operator: Operator, filled: Filled) -> dict[str, str]:
    """Each page, the lists also in their middle and with a filter."""
    some = filled.transfers // 2
    return {
        "overview": "/admin",
        "customers": "/admin/customers",
        "customers by address": "/admin/customers?q=customer99",
        "customer by intent": f"/admin/customers?q=pi_{some}",
        "one customer": f"/admin/customers/usr_{some % filled.customers}",
        "credits form": f"/admin/customers/usr_{some % filled.customers}/credits",
        "payments": "/admin/payments",
        "payments, next page": next_page(operator, "/admin/payments"),
        "payments, half a year ago": "/admin/payments?to=" + half_a_year_ago(),
        "payments by amount": "/admin/payments?amount=10&status=succeeded",
        "payments of no amount": "/admin/payments?amount=12.34&status=succeeded",
        "one payment": f"/admin/payments/pay_{some}",
        "refund with preview": f"/admin/refunds/pay_{some}?amount=5&reason=duplicate",
        "events": "/admin/events",
        "failed events": "/admin/events?state=failed",
        "events by type": "/admin/events?type=payment_intent.payment_failed",
        "one event": f"/admin/events/evt_{some}",
        "ledger": "/admin/ledger",
        "ledger of one customer": f"/admin/ledger?customer=usr_{some % filled.customers}",
        "ledger, half a year ago": "/admin/ledger?code=top_up&to=" + half_a_year_ago(),
        "jobs": "/admin/jobs",
        "jobs given up": "/admin/jobs?state=given+up",
        "reconcile": "/admin/reconcile",
        "audit": "/admin/audit",
    }


def half_a_year_ago() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - 182 * 86_400))


def next_page(operator: Operator, path: str) -> str:
    found = re.search(r'class="pager-older" href="([^"]+)"', operator.read(path))
    assert found, f"{path} has no next page"
    return found[1].replace("&amp;", "&")
