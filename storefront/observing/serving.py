"""Who may see the figures, and a worker's own small server for them."""

import hmac
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from storefront.observing import counting


def has_token(token: str | None, authorization: str | None) -> bool:
    """True when there is a token, and the header shows it. Compared in constant time."""
    if not token:
        return False
    shown = (authorization or "").encode("utf-8", "replace")
    return hmac.compare_digest(shown, f"Bearer {token}".encode())


def is_loopback(address: str | None) -> bool:
    """True for an address of this machine's own."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


@contextmanager
def served(port: int | None, token: str | None) -> Iterator[int | None]:
    """Show this process's figures at http://…:port/metrics; nothing without a port. With a token
    to everybody who shows it, without one to this machine alone. Yields the port, which is a free
    one for 0. Raises OSError when the port is taken."""
    if port is None:
        yield None
        return
    address = "0.0.0.0" if token else "127.0.0.1"  # noqa: S104  the token guards it
    server = ThreadingHTTPServer((address, port), _handler(token))
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(token: str | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "storefront", ""
        timeout = 10  # who asks and then says nothing is not waited for

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                return self._answer(404, b"There is nothing here but /metrics.\n")
            if token and not has_token(token, self.headers.get("Authorization")):
                return self._answer(401, b"Show the METRICS_TOKEN: Authorization: Bearer ...\n")
            return self._answer(200, counting.exposition())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", counting.CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: Any) -> None:
            """A scrape is no news."""

    return Handler
