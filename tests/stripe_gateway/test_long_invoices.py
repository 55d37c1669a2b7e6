"""An invoice with more lines than Stripe shows at once (fakestripe shows all of them, so a Stripe
of a few lines plays that part: it takes a real invoice apart into pages)."""

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from storefront.stripe_gateway import InvoiceFacts, StripeGateway
from tests.fakestripe.billing.shop import payer, subscribed
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings

SHOWN = 10


def test_every_line_is_fetched(
    gateway: StripeGateway, fakestripe: FakeStripe, tmp_path: Path, database_url: str
) -> None:
    client = fakestripe.client()
    invoice = client.v1.invoices.retrieve(str(subscribed(client, payer(client)).latest_invoice))
    long = with_lines(json.loads(json.dumps(invoice.to_dict(for_json=True))), 137)
    whole = InvoiceFacts.from_dict(long)
    assert len(whole.lines) == 137
    with paging_stripe(long) as url:
        paged = StripeGateway(some_settings(tmp_path, database_url, STRIPE_API_BASE=url))
        assert paged.retrieve_invoice(whole.id) == whole
        assert paged.list_invoices(whole.customer_id) == [whole]


def with_lines(invoice: Any, count: int) -> Any:
    line = invoice["lines"]["data"][0]
    lines = [copy.deepcopy(line) | {"id": f"il_{number}"} for number in range(count)]
    return invoice | {"lines": invoice["lines"] | {"data": lines}}


@contextmanager
def paging_stripe(invoice: Any) -> Iterator[str]:
    """Answers with this one invoice, its lines in pages."""
    lines = invoice["lines"]["data"]

    def answer(path: str, query: dict[str, list[str]]) -> Any:
        if path.endswith("/lines"):
            after = query.get("starting_after", [""])[0]
            start = next((i + 1 for i, line in enumerate(lines) if line["id"] == after), 0)
            return page(path, lines[start:], int(query["limit"][0]))
        shown = invoice | {"lines": page(f"/v1/invoices/{invoice['id']}/lines", lines, SHOWN)}
        return shown if path.endswith(invoice["id"]) else page(path, [shown], 100)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # a connection for each request: nothing stays open

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            body = json.dumps(answer(asked.path, parse_qs(asked.query))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(url: str, found: list[Any], limit: int) -> Any:
    return {
        "object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": url,
    }  # fmt: skip
