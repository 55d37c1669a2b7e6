"""HTTP/1.1 with connections that stay open, as the client libraries of Stripe expect.

Werkzeug's own server closes each connection after one answer; its parsing is used, its writing
and its end of a request are replaced.
"""

from __future__ import annotations

import socket
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

MAX_REQUEST_BYTES = 8_000_000  # the app refuses far less; beyond this the connection is closed
IDLE_SECONDS = 65.0


class Handler(WSGIRequestHandler):
    """Reads a whole request, answers it in one write, and waits for the next."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request; a client that is gone is no error."""
        try:
            self._answer()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _answer(self) -> None:
        environ = self.make_environ()
        if not self._read_body(environ):
            self.close_connection = True
        status, headers, body = _run(self.server.app, environ)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _read_body(self, environ: dict[str, Any]) -> bool:
        """Take the body off the connection; False when what follows would not be a request."""
        if environ.get("wsgi.input_terminated"):  # chunked
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(MAX_REQUEST_BYTES))
            return False
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            environ["CONTENT_LENGTH"] = str(MAX_REQUEST_BYTES)  # the app answers 413
            environ["wsgi.input"] = BytesIO()
            return False
        environ["wsgi.input"] = BytesIO(self.rfile.read(int(length)))
        return True

    def handle_expect_100(self) -> bool:
        """Let a client send its body; it waits for this line."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: requests can be seen on the control page."""

    def version_string(self) -> str:
        """Return the Server header."""
        return "fakestripe"


def make(app: Flask, listener: socket.socket) -> BaseWSGIServer:
    """Return a threaded server for a listening socket; the socket is taken over."""
    host, port = listener.getsockname()[:2]
    server = make_server(
        host, port, app, threaded=True, request_handler=Handler, fd=listener.fileno()
    )
    listener.close()  # the server has a copy of its own
    return server


def _run(app: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        started[:] = [status, headers]

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started
    return status, headers, body
