"""A Stripe of a few lines that records what it is asked and fails on command: for what the shop
does when Stripe is slow, down, or loses its answers. (fakestripe is the honest one.)

Like Stripe it remembers idempotency keys: the same key gets the same object.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request: `form` as sent, `key` its idempotency key."""

    method: str
    path: str
    form: dict[str, str]
    key: str | None


@dataclass(frozen=True)
class Fault:
    """What to do instead of answering. `after` first does what was asked."""

    status: int | None = None
    drop: bool = False
    after: bool = False
    delay_seconds: float = 0
    error: Json = field(default_factory=lambda: {"type": "api_error", "message": "A fault."})


DOWN = Fault(drop=True)
ANSWER_LOST = Fault(drop=True, after=True)
BROKEN = Fault(status=500)
BUSY = Fault(status=429, error={"type": "invalid_request_error", "message": "Too many requests"})
REFUSES = Fault(
    status=400, error={"type": "invalid_request_error", "message": "Amount must be at least…"}
)
WRONG_KEY = Fault(status=401, error={"type": "invalid_request_error", "message": "Invalid API Key"})


class StubStripe:
    """Customers and payment intents by id, requests in order, and faults to come."""

    def __init__(self) -> None:
        self.url = ""
        self.customers: dict[str, Json] = {}
        self.intents: dict[str, Json] = {}
        self.asked: list[Asked] = []
        self.on_request: Callable[[], None] | None = None
        self._faults: list[tuple[str, Fault]] = []
        self._by_key: dict[str, Json] = {}
        self._lock = threading.Lock()

    def fails(self, path: str, *faults: Fault) -> None:
        """Meet the next requests to paths that begin so with these faults, one each."""
        self._faults += [(path, fault) for fault in faults]

    def forgets(self, id: str) -> None:
        """As after a deletion, or with keys of another account."""
        self.customers.pop(id, None)
        self.intents.pop(id, None)

    def calls(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path and asked.method == "POST"]

    def intents_of(self, user_id: str) -> list[Json]:
        return [it for it in self.intents.values() if it["metadata"].get("user_id") == user_id]

    def move(self, intent_id: str, status: str, **changes: Any) -> None:
        """Let something happen to an intent at Stripe."""
        intent = self.intents[intent_id]
        received = intent["amount"] if status == "succeeded" else 0
        intent.update({"status": status, "amount_received": received} | changes)

    def answer(self, asked: Asked) -> tuple[int, Json] | Fault:
        if self.on_request is not None:
            self.on_request()
        with self._lock:
            self.asked.append(asked)
            fault = self._next_fault(asked.path)
            if fault is None or fault.after:
                result = self._do(asked)
            if fault is None:
                return result
        time.sleep(fault.delay_seconds)
        return fault

    def _next_fault(self, path: str) -> Fault | None:
        for index, (prefix, fault) in enumerate(self._faults):
            if path.startswith(prefix):
                del self._faults[index]
                return fault
        return None

    def _do(self, asked: Asked) -> tuple[int, Json]:
        if asked.method == "GET":
            found = self.intents.get(asked.path.rsplit("/", 1)[1])
            return (200, found) if found else _missing("intent", asked.path)
        customer = asked.form.get("customer")
        if customer is not None and customer not in self.customers:
            return _missing("customer", customer)
        if asked.key is not None and asked.key in self._by_key:
            return 200, self._by_key[asked.key]
        made = self._customer(asked) if asked.path == "/v1/customers" else self._intent(asked)
        if asked.key is not None:
            self._by_key[asked.key] = made
        return 200, made

    def _customer(self, asked: Asked) -> Json:
        made = {"id": f"cus_{uuid.uuid4().hex[:14]}", "object": "customer"}
        self.customers[made["id"]] = made
        return made

    def _intent(self, asked: Asked) -> Json:
        id = f"pi_{uuid.uuid4().hex[:24]}"
        metadata = {
            name[9:-1]: value for name, value in asked.form.items() if name.startswith("metadata[")
        }
        made = {
            "id": id,
            "object": "payment_intent",
            "amount": int(asked.form["amount"]),
            "amount_received": 0,
            "currency": asked.form["currency"],
            "customer": asked.form["customer"],
            "client_secret": f"{id}_secret_{uuid.uuid4().hex}",
            "last_payment_error": None,
            "metadata": metadata,
            "status": "requires_payment_method",
        }
        self.intents[id] = made
        return made


@contextmanager
def running_stub() -> Iterator[StubStripe]:
    """The stub on a free port of loopback, in threads of its own."""
    stub = StubStripe()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(stub))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _missing(what: str, id: str) -> tuple[int, Json]:
    message = f"No such {what}: '{id.rsplit('/', 1)[-1]}'"
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": message}
    return (404 if what == "intent" else 400), {"error": error}


def _handler_of(stub: StubStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # a connection for each request: nothing stays open

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer(dict(parse_qsl(body)))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, form: dict[str, str]) -> None:
            key = self.headers.get("Idempotency-Key")
            result = stub.answer(Asked(self.command, self.path, form, key))
            if isinstance(result, Fault):
                if result.drop:
                    return
                result = (result.status or 200, {"error": result.error})
            self._send(*result)

        def _send(self, status: int, document: Json) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
