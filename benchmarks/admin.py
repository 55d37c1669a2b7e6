"""The operators' pages with many rows: the median of each, over HTTP.

    .venv/bin/python benchmarks/admin.py [--customers 100000] [--transfers 1000000] [--rounds 7]

PostgreSQL (the wheel of requirements-dev.txt) is filled by SQL: so many customers, and transfers,
payments, events and jobs over a year. Each page is then asked for by an operator who is signed in,
over HTTP from gunicorn, one request at a time. Printed is one JSON document with the median and
the slowest request of each page, in milliseconds.
"""

import argparse
import http.cookiejar
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from sqlalchemy import create_engine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.webhook import (  # noqa: E402
    run_flask,
    shop_environment,
    start_postgresql,
    wait_until_up,
)
from storefront import config, create_app  # noqa: E402
from storefront.admin import days  # noqa: E402
from storefront.db import utcnow  # noqa: E402
from tests.admin.many import fill  # noqa: E402

PORT = 18473
BASE = f"http://127.0.0.1:{PORT}"
EMAIL, PASSWORD = "operator@example.com", "correct horse battery"


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="sf-admin-") as name:
        folder = Path(name)
        server, url = start_postgresql(folder)
        try:
            print(json.dumps(measure(options, folder, url), indent=2))
        finally:
            server.cleanup()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--transfers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7, help="requests for each page")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path, url: str) -> dict[str, object]:
    environment = shop_environment(folder, url)
    run_flask(environment, "db", "upgrade")
    started = time.monotonic()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        fill(connection, options.customers, options.transfers // options.customers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does in the hours it has
    engine.dispose()
    sum_up_days(environment)
    filled = time.monotonic() - started
    run_flask(environment, "users", "create", EMAIL, "--password", PASSWORD)
    run_flask(environment, "users", "promote", EMAIL)
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--log-level", "error"]
    command += ["--access-logfile", os.devnull]
    server = subprocess.Popen([*command, "wsgi:app"], cwd=ROOT, env=environment)
    try:
        wait_until_up()
        pages = measure_pages(options)
    finally:
        server.terminate()
        server.wait(30)
    return {
        "customers": options.customers,
        "transfers": options.transfers,
        "filled_in_seconds": round(filled),
        "pages_ms": pages,
    }


def sum_up_days(environment: dict[str, str]) -> None:
    """What the worker does each hour."""
    app = create_app(config.load(environment, root=ROOT))
    with app.app_context():
        days.keep(utcnow())


def measure_pages(options: argparse.Namespace) -> dict[str, dict[str, int]]:
    browser = signed_in()
    found = {}
    for name, path in pages(browser, options).items():
        times = []
        for _ in range(options.rounds):
            started = time.monotonic()
            read(browser, path)
            times.append((time.monotonic() - started) * 1000)
        found[name] = {"median": round(statistics.median(times)), "slowest": round(max(times))}
    return found


def pages(browser: urllib.request.OpenerDirector, options: argparse.Namespace) -> dict[str, str]:
    """Each page, the lists also in their middle and with a filter."""
    some = options.transfers // 2
    return {
        "overview": "/admin",
        "customers": "/admin/customers",
        "customers by address": "/admin/customers?q=customer99",
        "customer by intent": f"/admin/customers?q=pi_{some}",
        "one customer": f"/admin/customers/usr_{some % options.customers}",
        "credits form": f"/admin/customers/usr_{some % options.customers}/credits",
        "payments": "/admin/payments",
        "payments, next page": next_page(browser, "/admin/payments"),
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
        "ledger of one customer": f"/admin/ledger?customer=usr_{some % options.customers}",
        "ledger, half a year ago": "/admin/ledger?code=top_up&to=" + half_a_year_ago(),
        "jobs": "/admin/jobs",
        "jobs given up": "/admin/jobs?state=given+up",
        "reconcile": "/admin/reconcile",
        "audit": "/admin/audit",
    }


def half_a_year_ago() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - 182 * 86_400))


def next_page(browser: urllib.request.OpenerDirector, path: str) -> str:
    found = re.search(r'class="pager-older" href="([^"]+)"', read(browser, path))
    assert found, f"{path} has no next page"
    return found[1].replace("&amp;", "&")


def signed_in() -> urllib.request.OpenerDirector:
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', read(browser, "/login"))
    assert token
    form = {"csrf_token": token[1], "email": EMAIL, "password": PASSWORD}
    browser.open(f"{BASE}/login", urllib.parse.urlencode(form).encode()).close()
    return browser


def read(browser: urllib.request.OpenerDirector, path: str) -> str:
    with browser.open(BASE + path, timeout=60) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    main()
