"""The program: where it starts, where it refuses to, how it stops, what it remembers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from tests.fakestripe.builders import customer, paid, payment_intent
from tests.fakestripe.harness import ROOT, Receiver, running_fakestripe, stop

SERVE = [sys.executable, "-m", "storefront.fakestripe", "serve"]


def refusal(tmp_path: Path, *arguments: str, **environment: str) -> str:
    """Start it where it must not start; return the one line it leaves."""
    command = [*SERVE, "--database", str(tmp_path / "f.sqlite"), "--port", "0", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_it_refuses_production_and_live_keys(tmp_path: Path) -> None:
    assert "STOREFRONT_ENV=production" in refusal(tmp_path, STOREFRONT_ENV="production")
    for name, key in (
        ("STRIPE_SECRET_KEY", "sk_live_abcdefgh"),
        ("STRIPE_SECRET_KEY", "rk_live_abcdefgh"),
        ("STRIPE_PUBLISHABLE_KEY", "pk_live_abcdefgh"),
    ):
        line = refusal(tmp_path, **{name: key})
        assert name in line
        assert key not in line
    assert not (tmp_path / "f.sqlite").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_refuses_other_hosts_than_loopback(tmp_path: Path, host: str) -> None:
    assert f"not on {host}" in refusal(tmp_path, "--host", host)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = refusal(tmp_path, "--port", port)
    assert f"Port {port}" in line
    assert "FAKESTRIPE_PORT" in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_and_cleanly(tmp_path: Path, number: int) -> None:
    with running_fakestripe(tmp_path) as fake, Receiver() as receiver:
        fake.register_webhook(receiver.url)
        customer(fake.client())  # leaves a kept-alive connection open
        started = time.monotonic()
        assert stop(fake.process, number) == 0
        assert time.monotonic() - started < 5


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        intent = paid(fake.client(), "pm_card_standInProcessingSucceeds")
        endpoint = fake.register_webhook("http://127.0.0.1:9/x")
    with running_fakestripe(tmp_path) as again:
        client = again.client()
        assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
        assert client.v1.webhook_endpoints.list().data[0].id == endpoint["id"]
        again.advance(200)
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        made = [payment_intent(fake.client()).id for _ in range(20)]
        fake.kill()
    with running_fakestripe(tmp_path) as again:
        found = [i.id for i in again.client().v1.payment_intents.list({"limit": 100})]
        assert found == made[::-1]


def test_connections_are_kept_open(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        connection = HTTPConnection(fake.url.removeprefix("http://"), timeout=10)
        with closing(connection):
            ports = set()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            for _ in range(3):
                connection.request("POST", "/v1/customers", "email=jo@example.com", headers)
                assert connection.getresponse().read()
                assert connection.sock is not None, "the server closed the connection"
                ports.add(connection.sock.getsockname())
        assert len(ports) == 1


def exchange(url: str, request: bytes) -> bytes:
    """Send raw bytes, then nothing more; return all that comes back."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_unread_body_does_not_become_the_next_request(tmp_path: Path) -> None:
    smuggled = b"GET /_control/state HTTP/1.1\r\nHost: localhost\r\n\r\n"
    length = str(len(smuggled)).encode()
    with running_fakestripe(tmp_path) as fake:
        plain = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length
        assert exchange(fake.url, plain + b"\r\n\r\n" + smuggled).count(b"HTTP/1.1 ") == 1
        chunked = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"5\r\nhello\r\n0\r\n\r\n"
        assert exchange(fake.url, chunked + body + smuggled).count(b"HTTP/1.1 ") == 1
        broken = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"
        assert exchange(fake.url, broken + smuggled).count(b"HTTP/1.1 ") == 1


def test_a_big_body_is_refused(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        answer = requests.post(
            f"{fake.url}/v1/customers",
            data={"description": "x" * 2_000_000},
            headers={"Authorization": "Bearer sk_test_fakestripe"},
            timeout=10,
        )
        assert answer.status_code == 413
