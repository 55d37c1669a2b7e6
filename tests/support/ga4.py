"""Google Analytics on loopback: keeps what it is told, and answers as told to.

A redirect leads back to it, so that a caller who follows it would be seen a second time.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DROP = 0
"""Instead of a status: the connection ends without an answer."""


@dataclass(frozen=True)
class Report:
    """One request as it arrived; numbers with a point are exact decimals."""

    path: str
    query: dict[str, str]
    content_type: str
    body: Any

    @property
    def event(self) -> Any:
        (event,) = self.body["events"]
        return event


class Analytics:
    """`reports` in the order of arrival; `statuses` are answered first, one each, then 204."""

    def __init__(self) -> None:
        self.url = ""
        self.reports: list[Report] = []
        self.statuses: list[int] = []

    def take(self, report: Report) -> int:
        self.reports.append(report)
        return self.statuses.pop(0) if self.statuses else 204


@contextmanager
def google_analytics() -> Iterator[Analytics]:
    analytics = Analytics()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(analytics))
    server.daemon_threads = True
    analytics.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield analytics
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(analytics: Analytics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # a connection for each request: nothing stays open

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            body = json.loads(text, parse_float=Decimal)
            status = analytics.take(Report(parts.path, query, self.headers["Content-Type"], body))
            if status == DROP:
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", self.path)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
