"""Each check is broken on purpose, and names it."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import cli_doctor, doctor, users, work
from storefront.config import STRIPE_API_BASE
from storefront.db import db, transaction, utc_text, utcnow
from storefront.doctor import Finding, at_stripe
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.mail import Mailer, SmtpBackend
from storefront.payments import Payment
from storefront.reconciling import Reconciliation
from storefront.stripe_gateway import API_VERSION, StripeGateway
from tests.doctor.conftest import Operated
from tests.support.apps import UNREACHABLE, an_app, closing, some_settings
from tests.support.catalogs import a_catalog

LIVE = "sk_live_x"
PUBLIC = "https://shop.example.com"


def is_warning(finding: Finding, found: str, mend: str) -> None:
    assert finding.severity == "warning", finding
    assert found in finding.found, finding
    assert mend in finding.mend, finding


def is_failure(finding: Finding, found: str, mend: str) -> None:
    assert finding.severity == "failure", finding
    assert found in finding.found, finding
    assert mend in finding.mend, finding


def is_ok(finding: Finding, found: str = "") -> None:
    assert finding.severity == "ok", finding
    assert found in finding.found, finding


@contextmanager
def rows(operated: Operated, *planted: Any) -> Iterator[None]:
    """These rows are in the database for a while."""
    with operated.app.app_context(), transaction() as session:
        session.add_all(planted)
    try:
        yield
    finally:
        with operated.app.app_context(), transaction() as session:
            for row in planted:
                session.delete(session.merge(row))


@contextmanager
def sql(operated: Operated, statement: str, undo: str, **values: Any) -> Iterator[None]:
    with operated.app.app_context():
        for each in (statement, undo):
            with transaction() as session:
                session.execute(text(each), values)
            if each == statement:
                db.session.remove()
                yield


@contextmanager
def answering(status: int, body: Any, **headers: str) -> Iterator[str]:
    """Somebody else's server, which answers everything alike; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def gateway_to(operated: Operated, url: str) -> StripeGateway:
    return StripeGateway(replace(operated.settings, stripe_api_base=url))


def an_account(**facts: Any) -> dict[str, Any]:
    enabled = {"charges_enabled": True, "payouts_enabled": True, "details_submitted": True}
    return {"id": "acct_1", "object": "account"} | enabled | facts


def test_key_modes(operated: Operated) -> None:
    found = operated.finds("key modes", stripe_publishable_key="pk_live_x")
    is_failure(found, "STRIPE_PUBLISHABLE_KEY a live key", "two keys of one mode")
    both = {"stripe_secret_key": LIVE, "stripe_publishable_key": "pk_live_x"}
    found = operated.finds("key modes", **both)
    is_failure(found, "live keys with STOREFRONT_ENV=development", "STOREFRONT_ENV=production")
    is_ok(operated.finds("key modes", env="production", **both))
    is_warning(operated.finds("key modes", env="production"), "no money moves", "live keys")


def test_stripe_s_api(operated: Operated) -> None:
    nobody = gateway_to(operated, UNREACHABLE)
    found = operated.finds("Stripe's API", gateway=nobody)
    is_failure(found, "does not answer", "STRIPE_SECRET_KEY")
    found = operated.finds("catalogue", gateway=nobody)
    is_warning(found, "not looked at: Stripe does not answer us", "above")
    refused = {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}
    with answering(401, refused) as url:
        found = operated.finds("Stripe's API", gateway=gateway_to(operated, url))
        is_failure(found, "does not accept the configured key", "STRIPE_SECRET_KEY")
    found = operated.finds("Stripe's API", live=True)
    is_failure(found, "a stand-in: no money moves", "STRIPE_API_BASE")


def test_clock(operated: Operated) -> None:
    for seconds, says in ((-60, is_warning), (-3600, is_failure), (3600, is_failure)):
        then = utcnow() + timedelta(seconds=seconds)
        with answering(200, an_account(), Date=f"{then:%a, %d %b %Y %H:%M:%S} GMT") as url:
            found = operated.finds("clock", gateway=gateway_to(operated, url))
            says(found, "seconds apart from Stripe's", "NTP")


def test_stripe_account(operated: Operated) -> None:
    is_ok(operated.finds("Stripe account"))
    with answering(200, an_account(charges_enabled=False)) as url:
        found = operated.finds("Stripe account", gateway=gateway_to(operated, url))
        is_failure(found, "charges are not enabled", "dashboard.stripe.com")


def test_api_version(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    with operated.app.app_context():
        visit = operated.visit()
        assert visit.endpoint is not None
        vars(visit)["endpoint"] = replace(visit.endpoint, api_version="2025-09-30.clover")
        [check] = [each for each in doctor.CHECKS if each.name == "API version"]
        is_failure(doctor.look(check, visit), "sends 2025-09-30.clover", "catalog apply")
        vars(visit)["endpoint"] = None  # events are forwarded
        event = StripeEvent(
            id="evt_old", type="invoice.paid", livemode=False, created=utcnow(), payload="{}",
            received_at=utcnow() + timedelta(hours=1), state="ignored", api_version="2025-01-27",
        )  # fmt: skip
        with rows(operated, event):
            found = doctor.look(check, visit)
        is_warning(found, "the newest event came in 2025-01-27", "stripe listen --latest")
    monkeypatch.setattr(at_stripe, "SDK_API_VERSION", "2027-01-01.future")
    is_failure(operated.finds("API version"), f"we ask in {API_VERSION}", "bin/setup run")


def test_catalogue(operated: Operated) -> None:
    dearer = a_catalog(("monthly = 4900", "monthly = 5900"))
    found = operated.finds("catalogue", catalog=dearer)
    is_failure(found, "create price premium_plan_monthly: $59.00", "flask catalog apply")
    hide = "UPDATE stripe_prices SET current = {} WHERE plan = 'standard_pack'"
    with sql(operated, hide.format(0), hide.format(1)):
        found = operated.finds("catalogue")
        is_failure(found, "not for sale: standard_pack", "flask catalog apply")


def test_portal(operated: Operated) -> None:
    configurations = operated.stripe.client().v1.billing_portal.configurations
    [made] = configurations.list().data
    for mode in ("immediately", "at_period_end"):
        changed: Any = {"features": {"subscription_cancel": {"enabled": True, "mode": mode}}}
        configurations.update(made.id, changed)
        if mode == "immediately":
            found = operated.finds("portal")
            is_warning(found, f"change portal configuration {made.id}", "flask catalog apply")
    is_ok(operated.finds("portal"))


def test_webhook_endpoint(operated: Operated) -> None:
    endpoints = operated.stripe.client().v1.webhook_endpoints
    [made] = endpoints.list().data
    everything = list(made.enabled_events)
    apply = "flask catalog apply"

    def with_changes(**changes: Any) -> Finding:
        endpoints.update(made.id, changes)  # type: ignore[arg-type]
        return operated.finds("webhook endpoint")

    is_failure(with_changes(disabled=True), "is disabled", "flask webhooks catch-up")
    few: Any = [each for each in everything if each != "invoice.paid"]
    is_failure(with_changes(disabled=False, enabled_events=few), "not send invoice.paid", apply)
    is_warning(with_changes(enabled_events=["*"]), "sends more than has a handler", apply)
    is_ok(with_changes(enabled_events=everything))
    found = operated.finds("webhook endpoint", app_url=PUBLIC)
    is_failure(found, f"sends to {operated.url}/stripe/webhook, not to {PUBLIC}", apply)
    name = "UPDATE stripe_objects SET name = '{}' WHERE name = '{}'"
    hidden = (name.format("x", "webhook_endpoint"), name.format("webhook_endpoint", "x"))
    with sql(operated, *hidden):
        found = operated.finds("webhook endpoint", app_url=PUBLIC)
        is_failure(found, f"none sends events to {PUBLIC}", apply)
        at_stripe_itself = {"stripe_api_base": STRIPE_API_BASE, "app_url": "http://localhost:1"}
        is_ok(operated.finds("webhook endpoint", **at_stripe_itself), "stripe listen")
        found = operated.finds("webhook endpoint", live=True, **at_stripe_itself)
        is_failure(found, "Stripe cannot reach http://localhost:1", "APP_URL")


def test_webhook_secret(operated: Operated) -> None:
    found = operated.finds("webhook secret", stripe_webhook_secrets=())
    is_failure(found, "not set: no event is accepted", "--new-secret --write-env .env")
    found = operated.finds("webhook secret", stripe_webhook_secrets=("whsec_another",))
    is_failure(found, "not the endpoint's", "--new-secret --write-env .env")
    [secret] = operated.settings.stripe_webhook_secrets
    found = operated.finds("webhook secret", stripe_webhook_secrets=(secret, "whsec_old"))
    is_warning(found, "2 secrets are accepted", "take the old ones out")


def test_webhook_deliveries(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_stripe, "UNDER_WAY", timedelta(minutes=-5))
    is_ok(operated.finds("webhook deliveries"), "every event arrived")
    client = operated.stripe.client()
    with answering(500, {}) as url:
        params: Any = {"url": url, "enabled_events": ["customer.updated"]}
        deaf = client.v1.webhook_endpoints.create(params)
        operated.stripe.control("webhook_faults", {"kind": "dropped", "count": 1})
        customer = client.v1.customers.create({"name": "Before"})
        client.v1.customers.update(customer.id, {"name": "After"})
        found = operated.finds("webhook deliveries")
        client.v1.webhook_endpoints.delete(deaf.id)
    is_failure(found, "1 events were not delivered", "flask webhooks catch-up")
    assert operated.runs("webhooks", "catch-up").exit_code == 0
    is_ok(operated.finds("webhook deliveries"), "1 were not delivered, and came by catching up")


def test_database_of_postgresql(operated: Operated, reused_postgresql: Any) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(reused_postgresql.lent())
        app = stack.enter_context(closing(an_app(some_settings(operated.folder, url))))
        found = {value: durability(app, value) for value in ("on", "off")}
    is_ok(found["on"], "PostgreSQL 1")
    is_failure(found["off"], "synchronous_commit is off", "SET synchronous_commit = on")


def durability(app: Flask, value: str) -> Finding:
    """What the doctor says where commits are acknowledged so."""
    [check] = [each for each in doctor.CHECKS if each.name == "database"]
    with app.app_context():
        db.session.execute(text(f"SET synchronous_commit = {value}"))
        return doctor.look(check, cli_doctor.a_visit(False))


def test_a_database_that_does_not_answer(operated: Operated) -> None:
    nowhere = some_settings(operated.folder, "postgresql://nobody@127.0.0.1:9/nothing")
    with closing(an_app(nowhere)) as app:
        done = app.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == 2
    [line] = [each for each in done.output.splitlines() if each.startswith("failure  database:")]
    assert "OperationalError" in line
    assert "look at DATABASE_URL" in line
    assert "Traceback" not in done.output


def test_migrations(operated: Operated) -> None:
    with operated.app.app_context():
        current, _ = operated.visit().revisions()
    version = "UPDATE alembic_version SET version_num = :{}"
    with sql(operated, version.format("old"), version.format("now"), old="0001", now=current):
        is_failure(operated.finds("migrations"), "at 0001, the shop needs", "flask db upgrade")
        is_failure(operated.finds("shop"), "is not ready", "flask db upgrade")
        is_warning(operated.finds("worker"), "not looked at", "above")


def test_sqlite(operated: Operated) -> None:
    with operated.app.app_context():
        for value in ("OFF", "ON"):
            raw = db.engine.raw_connection()
            raw.cursor().execute(f"PRAGMA foreign_keys = {value}")
            raw.close()
            if value == "OFF":
                found = operated.finds("SQLite pragmas")
    is_failure(found, "foreign_keys is 0, not ON", "storefront/db.py")
    is_ok(operated.finds("SQLite pragmas"))
    found = operated.finds("SQLite version", sqlite_version="3.46.1")
    is_failure(found, "can lose commits", "pysqlite3")
    is_ok(operated.finds("SQLite version", sqlite_version="3.51.3"))


def test_shop(operated: Operated) -> None:
    found = operated.finds("shop", app_url=UNREACHABLE)
    is_warning(found, f"nothing answers at {UNREACHABLE}", "bin/run")
    assert operated.finds("shop", app_url=UNREACHABLE, live=True).severity == "failure"
    with answering(200, {"another": "shop"}) as url:
        is_failure(operated.finds("shop", app_url=url), "not as the shop does", "APP_URL")


def test_signed_round_trip(operated: Operated) -> None:
    """It leaves no event behind."""
    [right] = operated.settings.stripe_webhook_secrets
    name = "signed round trip"
    found = operated.finds(name, stripe_webhook_secrets=("whsec_not_read_yet",))
    is_failure(found, "our secret, a request is answered: bad_signature", "start the shop again")
    found = operated.finds(name, stripe_webhook_secrets=(right, "whsec_old"))
    is_failure(found, "secret 2 of 2", "start the shop again")
    with answering(200, {"received": True}) as url:
        found = operated.finds(name, app_url=url)
        is_failure(found, "is answered: 200", "STRIPE_WEBHOOK_PATH")
    with answering(400, {"code": "bad_input"}) as url:
        is_failure(operated.finds(name, app_url=url), "nobody signed is accepted", "APP_URL")
    is_warning(operated.finds(name, app_url=UNREACHABLE), "not looked at: nothing answers", "")
    with operated.app.app_context():
        types = list(db.session.scalars(db.select(StripeEvent.type)))
        assert "doctor" not in " ".join(types)


def test_worker_and_schedule(operated: Operated) -> None:
    then, now = utcnow() - timedelta(hours=2), utcnow()
    started = "UPDATE schedule_runs SET started_at = :{}"
    values = {"then": utc_text(then), "now": utc_text(now)}
    with sql(operated, started.format("then"), started.format("now"), **values):
        is_failure(operated.finds("worker"), "silent for 2 hours", "flask worker")
        is_warning(operated.finds("schedule"), "late: ", "flask jobs schedule")
    error = "UPDATE schedule_runs SET error = {} WHERE name = 'catch_up'"
    with sql(operated, error.format("'Stripe is away'"), error.format("NULL")):
        found = operated.finds("schedule")
        is_failure(found, "catch_up failed: Stripe is away", "flask jobs schedule")
    renamed = "UPDATE schedule_runs SET name = {}"
    with sql(operated, renamed.format("'x' || name"), renamed.format("substr(name, 2)")):
        is_failure(operated.finds("worker"), "none has ever run", "flask worker")
    is_ok(operated.finds("worker"))
    with operated.app.app_context():
        assert len(work.schedule_state(db.session())) > 5


def test_failed_events(operated: Operated) -> None:
    facts: dict[str, Any] = {
        "id": "evt_1", "type": "invoice.paid", "livemode": False, "created": utcnow(),
        "payload": "{}", "received_at": utcnow() - timedelta(hours=3),
    }  # fmt: skip
    with rows(operated, StripeEvent(state="parked", **facts)):
        found = operated.finds("failed events")
        is_failure(found, "1 events are parked", "flask webhooks list --state parked")
    with rows(operated, StripeEvent(state="failed", **facts)):
        found = operated.finds("failed events")
        is_warning(found, "the oldest 3 hours ago", "flask webhooks list --state failed")


def test_job_backlog(operated: Operated) -> None:
    ago = utcnow() - timedelta(minutes=20)
    facts: dict[str, Any] = {"kind": "mail_receipt", "args": "{}", "run_at": ago}
    with rows(operated, Job(key="a", **facts), Job(key="b", **facts)):
        found = operated.finds("job backlog")
        is_failure(found, "2 jobs are due, the oldest for 20 minutes", "flask worker")
    with rows(operated, Job(key="a", given_up_at=ago, **facts)):
        is_warning(operated.finds("job backlog"), "1 jobs were given up", "flask jobs list")


def test_books(operated: Operated) -> None:
    facts: dict[str, Any] = {
        "id": "rec_1", "livemode": False, "until": utcnow(),
        "started_at": utcnow() + timedelta(minutes=1),
    }  # fmt: skip
    for changes, says, found in (
        ({"remaining": 2, "money_remaining": 1}, is_failure, "1 differences about money"),
        ({"remaining": 2}, is_warning, "2 differences"),
        ({"error": "Stripe went away"}, is_warning, "did not end: Stripe went away"),
    ):
        with rows(operated, Reconciliation(**facts, **changes)):
            says(operated.finds("books"), found, "flask reconcile")


def test_gunicorn(operated: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("workers = 1\n")
    found = operated.finds("gunicorn", gunicorn_file=file)
    is_failure(found, "opens its control socket", "control_socket_disable = True")
    file.write_text("control_socket_disable = True\nworkers = 4\n")
    found = operated.finds("gunicorn", gunicorn_file=file)
    is_warning(found, "4 web processes on SQLite", "PostgreSQL")
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--control-socket=/tmp/x.ctl")
    assert operated.finds("gunicorn").severity == "failure"


def test_secret_key_and_cookies(operated: Operated) -> None:
    flask = dict(operated.app.config)
    found = operated.finds("secret key", flask=flask | {"SECRET_KEY": "x" * 40})
    is_warning(found, "can be guessed", "python -c")
    found = operated.finds("secret key", env="production", flask=flask | {"SECRET_KEY": "short"})
    is_failure(found, "5 characters", "python -c")
    found = operated.finds("cookies", flask=flask | {"SESSION_COOKIE_HTTPONLY": False})
    is_failure(found, "scripts can read it", "create_app")
    is_failure(operated.finds("cookies", app_url=PUBLIC), "sent without TLS", "create_app")
    for lifetime in (timedelta(days=90), 90 * 24 * 3600):
        found = operated.finds("cookies", flask=flask | {"PERMANENT_SESSION_LIFETIME": lifetime})
        is_failure(found, "lives for more than a month", "create_app")


def test_https_and_proxies(operated: Operated) -> None:
    found = operated.finds("HTTPS", app_url="http://shop.example.com", stripe_api_base="https://x")
    assert found.severity == "ok", "a stand-in's shop is on this machine"
    itself = {"stripe_api_base": STRIPE_API_BASE}
    found = operated.finds("HTTPS", app_url="http://shop.example.com", **itself)
    is_warning(found, "can be read on the way", "certificate")
    found = operated.finds("HTTPS", live=True)
    is_failure(found, "can be read on the way", "certificate")
    with answering(200, {"status": "ok"}) as url:
        secure = url.replace("http:", "https:")
        is_warning(operated.finds("HTTPS", app_url=secure), "not seen: ", "bin/run")
    is_warning(operated.finds("proxies", app_url=PUBLIC), "take all customers for one", "=1")
    is_warning(operated.finds("proxies", trusted_proxies=1), "claim any address", "=0")
    is_ok(operated.finds("proxies", app_url=PUBLIC, trusted_proxies=1))


def test_csp(operated: Operated) -> None:
    found = operated.finds("CSP", policy="script-src 'self'; connect-src 'self'")
    is_failure(found, "script-src of the pages", "policies.py")
    found = operated.finds("CSP", stripe_api_base=STRIPE_API_BASE)
    is_failure(found, "not the Stripe.js of our API version", "STRIPE_JS_URL")
    found = operated.finds("CSP", stripe_js_url="https://js.stripe.com/endive/stripe.js")
    is_failure(found, "a stand-in's API", "STRIPE_API_BASE")
    with answering(200, {"status": "ok"}) as url:
        found = operated.finds("CSP", app_url=url)
        is_warning(found, "answers without Content-Security-Policy", "reverse proxy")


def test_mail_and_analytics(operated: Operated) -> None:
    is_failure(operated.finds("mail", live=True), "customers get none", "MAIL_URL")
    settings = operated.settings
    closed = Mailer(settings, lambda _: "", lambda: SmtpBackend(host="127.0.0.1", port=9))
    found = operated.finds("mail", mail_url="smtp://127.0.0.1:9", mailer=closed)
    is_failure(found, "127.0.0.1: the server does not let us in", "MAIL_URL")
    measured = {"ga4_measurement_id": "G-ABC1234567", "ga4_api_secret": "a secret of Google's"}
    is_ok(operated.finds("analytics", **measured), "G-ABC1234567")
    found = operated.finds("analytics", ga4_endpoint="https://stats.example", **measured)
    is_warning(found, "is not Google's", "GA4_ENDPOINT")


def test_what_going_live_wants_besides(operated: Operated) -> None:
    is_warning(operated.finds("legal pages"), "TERMS_URL and PRIVACY_URL", ".env")
    pages = {"terms_url": f"{PUBLIC}/terms", "privacy_url": f"{PUBLIC}/privacy"}
    is_ok(operated.finds("legal pages", **pages))
    is_ok(operated.finds("demo customer"))
    is_warning(operated.finds("first purchase"), "nobody has bought anything", "/top-up")
    with operated.app.app_context():
        users.register("demo@example.com", "a long password")
        id = users.find_by_email("demo@example.com").id  # type: ignore[union-attr]
    is_warning(operated.finds("demo customer"), "demo@example.com can sign in", "database")
    bought = Payment(
        id="pay_1", user_id=id, pack_or_plan="usd_5", amount_cents=500, currency="usd",
        credits=500, status="succeeded",
    )  # fmt: skip
    with rows(operated, bought):
        is_ok(operated.finds("first purchase"))
    with operated.app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM users"))


def test_a_check_that_throws_is_its_own_failure(operated: Operated) -> None:
    found = operated.finds("migrations", revisions=lambda: 1 / 0)
    is_failure(found, "the check itself failed: ZeroDivisionError: division by zero", "maintainers")
