"""`prepare` hands the shop its settings, the same ones each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import stripe

from storefront.fakestripe.prepare import prepare
from storefront.fakestripe.settings import Settings
from tests.fakestripe.builders import customer
from tests.fakestripe.harness import ROOT, Receiver, running_fakestripe

HOOK = "http://127.0.0.1:8000/stripe/webhook"


def settings(tmp_path: Path, port: int = 12111) -> Settings:
    return Settings(tmp_path / "fakestripe.sqlite", port=port)


def test_it_makes_everything_the_shop_needs(tmp_path: Path) -> None:
    made = prepare(settings(tmp_path), HOOK)
    assert made["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert made["STRIPE_PUBLISHABLE_KEY"].startswith("pk_test_")
    assert made["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert made["STRIPE_API_BASE"] == "http://127.0.0.1:12111"
    # Browsers reach it under the name under which they reach the shop.
    assert made["STRIPE_JS_URL"] == "http://localhost:12111/endive/stripe.js"


def test_it_can_be_repeated(tmp_path: Path) -> None:
    first = prepare(settings(tmp_path), HOOK)
    assert prepare(settings(tmp_path), HOOK) == first
    moved = prepare(settings(tmp_path, port=2), "http://127.0.0.1:9000/hook")
    assert moved["STRIPE_WEBHOOK_SECRET"] == first["STRIPE_WEBHOOK_SECRET"]
    assert moved["STRIPE_SECRET_KEY"] == first["STRIPE_SECRET_KEY"]
    with running_fakestripe(tmp_path) as fake:
        endpoints = fake.client(first["STRIPE_SECRET_KEY"]).v1.webhook_endpoints.list().data
    assert [e.url for e in endpoints] == ["http://127.0.0.1:9000/hook"]
    assert endpoints[0].api_version == stripe.api_version


def test_others_endpoints_are_left_alone(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        other = fake.register_webhook("http://127.0.0.1:1/other")
    prepare(settings(tmp_path), HOOK)
    with running_fakestripe(tmp_path) as fake:
        urls = {e.id: e.url for e in fake.client().v1.webhook_endpoints.list()}
    assert urls.pop(other["id"]) == "http://127.0.0.1:1/other"
    assert list(urls.values()) == [HOOK]


def test_the_secret_signs_the_deliveries(tmp_path: Path) -> None:
    with Receiver() as receiver:
        made = prepare(settings(tmp_path), receiver.url)
        with running_fakestripe(tmp_path) as fake:
            customer(fake.client(made["STRIPE_SECRET_KEY"]))
            [request] = receiver.wait(1)
    secret = made["STRIPE_WEBHOOK_SECRET"]
    assert stripe.WebhookSignature.verify_header(
        request.body.decode(), request.signature, secret, 300
    )


def test_the_command_prints_settings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "storefront.fakestripe", "prepare", "--webhook-url", HOOK,
               "--database", str(tmp_path / "f.sqlite"), "--port", "4000"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert lines["STRIPE_API_BASE"] == "http://127.0.0.1:4000"
    assert len(lines) == 5
