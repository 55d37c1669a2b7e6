"""Sends planned deliveries in the background, signed, from a few threads."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from collections import deque

import urllib3

from . import deliveries
from .account import Account
from .deliveries import Attempt
from .errors import JSON
from .records import Record
from .webhook_endpoints import TYPE as ENDPOINT
from .webhook_endpoints import note_answer, signing_secrets

WORKERS = 4  # one slow endpoint must not hold up the others
TIMEOUT_SECONDS = 10.0
EXCERPT_BYTES = 1_000
LONGEST_NAP_SECONDS = 60.0
_log = logging.getLogger("fakestripe")
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


class Deliverer:
    """Worker threads over the pending deliveries; what is pending survives a restart."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._changed = threading.Condition()
        self._batches: deque[list[int]] = deque()
        self._in_flight: set[int] = set()
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start sending; deliveries that an earlier run left pending go first."""
        with self._account.store.writing() as tx:
            deliveries.release_held(tx)
        for number in range(WORKERS):
            thread = threading.Thread(target=self._work, name=f"deliver-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, patience_seconds: float = 0.5) -> None:
        """Stop taking new work; a request under way is abandoned after a moment, still pending."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline = time.monotonic() + patience_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Look for due deliveries now: something was committed, or the clock moved."""
        with self._changed:
            self._changed.notify_all()

    def run_batch(self, ids: list[int]) -> None:
        """Send held deliveries one after the other, in this very order."""
        if not ids:
            return
        with self._changed:
            self._batches.append(ids)
            self._changed.notify_all()

    def wait(self, seconds: float, due_only: bool) -> bool:
        """Wait until nothing is pending (or, with `due_only`, nothing is due); tell if so."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._changed.notify_all()
            while self._busy(due_only):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.2))
        return True

    def _busy(self, due_only: bool) -> bool:
        if self._in_flight or self._batches:
            return True
        with self._account.store.reading() as tx:
            found = deliveries.next_due(tx, set())
        return found is not None and (not due_only or found[1] <= self._account.clock.time())

    def _work(self) -> None:
        with urllib3.PoolManager() as pool:
            while (ids := self._next()) is not None:
                for id in ids:
                    try:
                        self._deliver(pool, id)
                    except Exception:  # noqa: BLE001  the thread must live on for the others
                        _log.exception("delivery %s failed", id)
                with self._changed:
                    self._in_flight.difference_update(ids)
                    self._changed.notify_all()

    def _next(self) -> list[int] | None:
        """Wait for work and claim it; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                ids, nap = self._claim()
                if ids:
                    self._in_flight.update(ids)
                    return ids
                self._changed.wait(nap)
        return None

    def _claim(self) -> tuple[list[int], float]:
        if self._batches:
            return self._batches.popleft(), 0.0
        with self._account.store.reading() as tx:
            found = deliveries.next_due(tx, self._in_flight)
        if found is None:
            return [], LONGEST_NAP_SECONDS
        id, due = found
        wait = due - self._account.clock.time()
        return ([id], 0.0) if wait <= 0 else ([], min(wait, LONGEST_NAP_SECONDS))

    def _deliver(self, pool: urllib3.PoolManager, id: int) -> None:
        with self._account.store.reading() as tx:
            delivery = deliveries.get(tx, id)
            if delivery is None:
                return
            endpoint = tx.get(ENDPOINT, delivery["endpoint"])
            event = tx.get("event", delivery["event"])
        if endpoint is None or event is None or not _enabled(endpoint):
            with self._account.store.writing() as tx:
                deliveries.abandon(tx, id)
            return
        attempt = self._attempt(pool, endpoint, event.body)
        with self._account.store.writing() as tx:
            deliveries.record_attempt(self._account, tx, delivery, attempt)
            note_answer(tx, endpoint.id, attempt.at, succeeded=attempt.succeeded)

    def _attempt(self, pool: urllib3.PoolManager, endpoint: Record, event: JSON) -> Attempt:
        body = payload(endpoint, event)
        # Receivers compare the signature's time with their own clock, so it is real time even
        # when the stand-in's clock has been moved.
        signed_at = time.time()
        header = signature(body, int(signed_at), signing_secrets(endpoint, signed_at))
        at, url = self._account.clock.time(), endpoint.body["url"]
        status, error, excerpt = _post(pool, url, body, header)
        duration_ms = round((time.time() - signed_at) * 1000)
        return Attempt(at, duration_ms, url, status, error, excerpt, header)


def payload(endpoint: Record, event: JSON) -> bytes:
    """Return the event as Stripe sends it: indented, in the endpoint's API version."""
    version = endpoint.body["api_version"] or event["api_version"]
    return json.dumps({**event, "api_version": version}, indent=2).encode()


def signature(body: bytes, timestamp: int, secrets: list[str]) -> str:
    """Return the `Stripe-Signature` header: one v1 for each secret in force."""
    signed = f"{timestamp}.".encode() + body
    parts = [f"t={timestamp}"]
    for secret in secrets:
        parts.append("v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())
    return ",".join(parts)


def _enabled(endpoint: Record) -> bool:
    return not endpoint.deleted and endpoint.body["status"] == "enabled"


def _post(
    pool: urllib3.PoolManager, url: str, body: bytes, header: str
) -> tuple[int | None, str | None, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": header,
        "User-Agent": USER_AGENT,
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Connection": "close",
    }
    try:
        answer = pool.request(
            "POST", url, body=body, headers=headers, timeout=TIMEOUT_SECONDS,
            retries=False, redirect=False, preload_content=False,
        )  # fmt: skip
        try:
            # One read only: whatever came first is enough for the log, a slow rest is not awaited.
            excerpt = answer.read1(EXCERPT_BYTES)
        finally:
            answer.close()
        return answer.status, None, excerpt.decode("utf-8", "replace")
    except urllib3.exceptions.NewConnectionError as error:  # to urllib3 a kind of time-out
        return None, f"Could not connect: {error}"[:300], ""
    except urllib3.exceptions.TimeoutError:
        return None, f"Timed out after {TIMEOUT_SECONDS:.0f} seconds", ""
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return None, f"{type(error).__name__}: {error}"[:300], ""
