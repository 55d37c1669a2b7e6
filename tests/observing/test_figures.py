"""What Prometheus is shown, and who else is not."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from storefront import payments, users
from storefront.catching_up import EventWalk
from storefront.catching_up.running import groups
from storefront.config import ROOT
from storefront.db import transaction, utcnow
from storefront.errors import StripeUnavailable
from storefront.observing import serving
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import a_payment, a_user, an_event, an_intent, deliver, paid

MONITORING = (ROOT / "docs/monitoring.md").read_text()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "a-token-of-thirty-two-characters"
Figures = dict[str, float]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def figures(client: FlaskClient) -> Figures:
    """Every series by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return read(answer.text)


def read(text: str) -> Figures:
    found = re.findall(r"^(storefront_[^ ]+?) ([0-9.e+-]+)$", text, re.MULTILINE)
    return {series: float(value) for series, value in found}


def risen(before: Figures, after: Figures) -> Figures:
    """What was counted between the two. (All apps of a process count together.)"""
    changes = {name: value - before.get(name, 0) for name, value in after.items()}
    return {name: change for name, change in changes.items() if change}


@pytest.fixture
def shop_with(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    with ExitStack() as open_apps:
        yield lambda **settings: open_apps.enter_context(
            closing(an_app(some_settings(tmp_path, database_url, **settings)))
        )


def test_requests_are_counted_by_route_and_status(client: FlaskClient) -> None:
    before = figures(client)
    for path in ("/payments/pay_1", "/payments/pay_2", "/nowhere", "/elsewhere"):
        client.get(path)
    client.open("/nowhere", method="BREW")
    change = risen(before, figures(client))
    of = 'storefront_requests_total{method="%s",route="%s",status="%s"}'
    assert change[of % ("GET", "/payments/<payment_id>", "303")] == 2
    assert change[of % ("GET", "unmatched", "404")] == 2
    assert change[of % ("other", "unmatched", "404")] == 1
    took = 'storefront_request_seconds_count{method="GET",route="/payments/<payment_id>"}'
    assert change[took] == 2


def test_events_are_counted_by_type_and_outcome(app: Flask, client: FlaskClient) -> None:
    before = figures(client)
    event = paid(a_payment(app))
    for _ in range(3):
        deliver(client, event)
    deliver(client, an_event(an_intent(a_payment(app), amount_received=1)))
    after = figures(client)
    change = risen(before, after)
    of = 'storefront_events_total{outcome="%s",type="payment_intent.succeeded"}'
    assert [change[of % it] for it in ("handled", "duplicate", "parked")] == [1, 2, 1]
    assert change["storefront_event_to_credit_seconds_count"] == 1
    assert after['storefront_events_unsettled{state="parked"}'] == 1
    assert after["storefront_database_up"] == 1
    assert after['storefront_jobs_waiting{state="due"}'] >= 1


def test_calls_to_stripe_are_counted_by_outcome(app: Flask, client: FlaskClient) -> None:
    before, customer = figures(client), a_user(app)
    with app.app_context(), pytest.raises(StripeUnavailable):
        pack = app.extensions["catalog"].pack("usd_10")
        payments.open_top_up(
            app.extensions["stripe_gateway"], users.find(customer.id), pack, "order-key-01234567"
        )
    change = risen(before, figures(client))
    operation = 'operation="create_payment_intent"'
    assert change[f'storefront_stripe_calls_total{{{operation},outcome="stripe_unavailable"}}'] == 1
    assert change[f"storefront_stripe_call_seconds_count{{{operation}}}"] == 1


def test_every_series_is_well_formed_and_documented(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        an_hour_ago = utcnow() - timedelta(hours=1)
        for types in groups():
            walk = EventWalk(
                types=",".join(types), covered_from=LONG_AGO, covered_until=an_hour_ago
            )
            session.add(walk)
    after = figures(client)
    assert 3600 <= after["storefront_webhook_coverage_age_seconds"] < 7200
    text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families), "no name twice"
    shown = set(re.findall(r"^# TYPE (storefront_\w+)", text, re.MULTILINE))
    documented = set(re.findall(r"`(storefront_\w+)", MONITORING))
    assert shown == documented


def test_a_database_that_is_away_is_a_figure(shop_with: Callable[..., Flask]) -> None:
    away = shop_with(DATABASE_URL="postgresql://nobody@127.0.0.1:9/shop")
    shown = figures(away.test_client())
    assert shown["storefront_database_up"] == 0
    assert "storefront_jobs_due_oldest_seconds" not in shown, "unknown is not 0"


def test_with_a_token_the_figures_are_for_who_shows_it(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(METRICS_TOKEN=TOKEN, APP_URL="https://shop.example")
    client = shop.test_client()
    for wrong in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer é"}):
        answer = client.get("/metrics", headers={"Host": "shop.example", **wrong})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "token_needed")
        assert TOKEN not in answer.text
    for host in ("shop.example", "10.0.0.7:8000"):  # Prometheus asks each machine by its address
        answer = client.get("/metrics", headers={"Host": host, **BEARER})
        assert answer.status_code == 200
    assert client.get("/", headers={"Host": "10.0.0.7:8000", **BEARER}).status_code == 400


def test_without_a_token_they_are_for_this_machine(
    client: FlaskClient, shop_with: Callable[..., Flask]
) -> None:
    assert client.get("/metrics").status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_overrides=elsewhere).status_code == 404
    for proxied in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert client.get("/metrics", headers={proxied: "x"}).status_code == 404
    production = shop_with(
        STOREFRONT_ENV="production", APP_URL="https://shop.example", STRIPE_API_BASE=""
    )
    answer = production.test_client().get("/metrics", headers={"Host": "shop.example"})
    assert answer.status_code == 404, "a proxy on this machine makes everybody local"


def test_a_worker_shows_its_own(client: FlaskClient) -> None:
    with serving.served(0, TOKEN) as port:
        url = f"http://127.0.0.1:{port}"
        shown = urllib.request.Request(f"{url}/metrics", headers=BEARER)
        with urllib.request.urlopen(shown, timeout=10) as answer:
            counted = read(answer.read().decode())
        assert set(counted) <= set(figures(client))
        for path, status in (("/metrics", 401), ("/", 404)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}{path}", timeout=10)
            assert refused.value.code == status
            refused.value.close()
    with serving.served(None, None) as port:
        assert port is None
