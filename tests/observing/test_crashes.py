"""Crashes are reported where SENTRY_DSN says, and to nobody otherwise."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from storefront import create_app
from storefront.config import ROOT
from storefront.errors import ConfigError
from tests.support import databases
from tests.support.apps import an_environment, some_settings
from tests.support.shop import clean_environment

CRASHES = """
import sentry_sdk
from storefront import create_app

app = create_app()


@app.get("/crash")
def crash():
    address = "local.secret@example.com"
    raise RuntimeError("no sk_live_51Hv0123456789 for jo@example.com")


app.before_request_funcs[None].remove(app.before_request_funcs[None][1])  # the guard
answer = app.test_client().get(
    "/crash?client_secret=pi_1_secret_2",
    headers={"Cookie": "session=stolen", "X-Request-ID": "request-12345"},
)
assert answer.status_code == 500, answer.text
sentry_sdk.flush(10)
"""


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    with databases.new_sqlite(sqlite_template, tmp_path) as url:
        yield url


class Sentry(HTTPServer):
    """Takes in envelopes at a DSN."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.events: list[dict[str, Any]] = []
        self.dsn = f"http://public@127.0.0.1:{self.server_port}/1"

    def take(self, envelope: bytes) -> None:
        items = envelope.split(b"\n")[1:]
        for header, body in zip(items[::2], items[1::2], strict=False):
            if json.loads(header).get("type") == "event":
                self.events.append(json.loads(body))


class Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        packed = self.headers.get("Content-Encoding") == "gzip"
        assert isinstance(self.server, Sentry)
        self.server.take(gzip.decompress(body) if packed else body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with Sentry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_crash_is_reported_without_what_is_private(sentry: Sentry, database_url: str) -> None:
    """In a process of its own: Sentry's client changes the one that it is in for good."""
    environment = clean_environment() | an_environment(database_url, SENTRY_DSN=sentry.dsn)
    done = subprocess.run(
        [sys.executable, "-c", CRASHES], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (event,) = sentry.events
    assert event["tags"]["request_id"] == "request-12345"
    assert set(event["request"]) <= {"method", "url"}
    told = json.dumps(event)
    assert "RuntimeError" in told
    assert "for [e-mail]" in told
    for private in ("51Hv0123", "jo@", "local.secret", "stolen", "_secret_2", "sk_test_51of"):
        assert private not in told, private


def test_without_the_package_the_shop_says_what_is_missing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    settings = some_settings(tmp_path, database_url, SENTRY_DSN="https://key@sentry.example/1")
    with pytest.raises(ConfigError, match="pip install -r requirements-sentry"):
        create_app(settings)


@pytest.mark.parametrize("dsn", ["sentry.example", "https://sentry.example/1", "https://k@h/x"])
def test_a_wrong_dsn_is_refused_unrepeated(database_url: str, tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigError, match="SENTRY_DSN must be") as refused:
        some_settings(tmp_path, database_url, SENTRY_DSN=dsn)
    assert dsn not in refused.value.detail
