"""Bytes that no browser and no library would send, at gunicorn as it serves the shop."""

import errno
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from storefront.config import ROOT
from tests.support import apps, books
from tests.support.builders import a_payment, body_of, paid, signed
from tests.support.served import eventually
from tests.support.shop import clean_environment, free_port

HEAD = "POST /stripe/webhook HTTP/1.1\r\nHost: localhost\r\n"
GET = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
TOO_MANY = "".join(f"X-{n}: x\r\n" for n in range(150))
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n"

REFUSED = {
    "a length and chunks": f"{HEAD}Content-Length: 5\r\n{CHUNKED}\r\n\r\n{SMUGGLED}",
    "two lengths": f"{HEAD}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{SMUGGLED}",
    "a length that is none": f"{HEAD}Content-Length: +5\r\n\r\nhello",
    "chunks under another name": f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n{SMUGGLED}",
    "chunks twice": f"{HEAD}{CHUNKED}, chunked\r\n\r\n{SMUGGLED}",
    "a blank before the colon": f"{HEAD}Content-Length : 5\r\n\r\nhello",
    "a header that goes on": f"{HEAD}X-A: a\r\n b: c\r\nContent-Length: 0\r\n\r\n",
    "a header of 64 kB": f"{HEAD}X-A: {'x' * 65_536}\r\n\r\n",
    "a line of 64 kB": GET.format("/?" + "x" * 65_536) + "\r\n",
    "150 headers": HEAD + TOO_MANY + "\r\n",
    "another's host": "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "no HTTP": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}  # fmt: skip

HUNG_UP = (errno.ENOTCONN, errno.EPIPE, errno.ECONNRESET)


class Server:
    """gunicorn with one process and the shop's eight threads."""

    def __init__(self, port: int) -> None:
        self.port = port

    def opens(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def answers(self, request: str | bytes) -> str:
        """All that comes back until the connection is closed."""
        data = request if isinstance(request, bytes) else request.encode("latin-1")
        told = b""
        with self.opens() as wire:
            try:
                wire.sendall(data)
                wire.shutdown(socket.SHUT_WR)
                while more := wire.recv(65_536):
                    told += more
            except OSError as error:  # hung up before it was all said, or heard
                assert error.errno in HUNG_UP, error
        return told.decode("latin-1")

    @property
    def is_there(self) -> bool:
        try:
            return " 200 " in self.answers(GET.format("/healthz") + "\r\n")
        except OSError:
            return False


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    found = Server(free_port())
    environment = clean_environment() | apps.an_environment(
        database_url, PORT=str(found.port), STOREFRONT_INSTANCE=str(tmp_path), TMPDIR=str(tmp_path)
    )
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    eventually(lambda: found.is_there, "gunicorn answers")
    yield found
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # one process, so eight threads
def test_what_is_no_honest_request_gets_nowhere(app: Flask, server: Server) -> None:
    """One server, one start: what is refused, what is slow, and that the shop goes on."""
    for what, request in REFUSED.items():
        status_lines = [it for it in server.answers(request).split("\r\n") if "HTTP/1.1" in it]
        assert len(status_lines) <= 1, f"{what}: one request, two answers"
        assert not status_lines or status_lines[0].split()[1] in ("400", "414", "431", "501"), what
    for path in ("//evil.example//account", "/\\evil.example", "/static/../wsgi.py", "//x//y"):
        answer = server.answers(GET.format(path) + "\r\n")
        assert "//evil" not in answer.partition("\r\n\r\n")[0], path
        assert " 200 " not in answer.split("\r\n")[0], path
    purchase = a_payment(app)
    big = json.dumps({"padding": "x" * 700_000}).encode()
    # Read up to the limit, and then it is not what was signed.
    assert server.answers(chunked(big)).split("\r\n")[0] in ("", "HTTP/1.1 400 BAD REQUEST")
    assert books.read(app).events == {}
    slowly(server, body_of(paid(purchase)))
    assert books.balance(app, purchase.customer.id) == purchase.credits
    assert server.is_there


def test_who_falls_silent_is_not_waited_for_for_ever() -> None:
    """What gunicorn does with its own sockets; the end of its patience is the system's business."""
    configured = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        configured["when_ready"](SimpleNamespace(LISTENERS=[listener]))
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            accepted.setblocking(True)  # as its threads have it
            for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                given = accepted.getsockopt(socket.SOL_SOCKET, direction, 16)
                assert struct.unpack("@ll", given) == (configured["SILENCE_SECONDS"], 0)


def chunked(body: bytes) -> bytes:
    """A webhook that does not say how long it is."""
    pieces = [body[at : at + 8_000] for at in range(0, len(body), 8_000)]
    lines = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""]]
    rest = f"Transfer-Encoding: chunked\r\nStripe-Signature: {signed(body)}\r\n\r\n"
    return HEAD.encode() + rest.encode() + b"".join(lines)


def slowly(server: Server, event: bytes) -> None:
    """Six callers who never end their headers, or their body: a true event, in chunks, is credited
    all the same. (Eight would hold all threads; docs/security.md says what stands in front.)"""
    with ExitStack() as wires:
        for beginning in ("X-Slow: ", "Content-Length: 9000\r\n\r\n{") * 3:
            wires.enter_context(server.opens()).sendall(f"{HEAD}{beginning}".encode())
        assert " 200 " in server.answers(chunked(event)).split("\r\n")[0] + " "
