"""Idempotency keys: one execution per key, its answer replayed for 24 hours.

Stripe remembers the first execution's status and body, server errors included; it remembers
nothing when validation failed, when another request held the key, or for 401 and 429.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import JSON, ApiError
from .store import Transaction

MAX_KEY_LENGTH = 255
KEPT_SECONDS = 24 * 3600
IDEMPOTENCY_ERROR = "idempotency_error"

_lock = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """A remembered answer."""

    request_id: str
    status: int
    body: str


def checked_key(key: str | None) -> str | None:
    """Return the header's key, or None without one; raise 400 when it is too long."""
    if key is not None and len(key) > MAX_KEY_LENGTH:
        message = f"Idempotency keys can be at most {MAX_KEY_LENGTH} characters long."
        raise ApiError(400, message, type=IDEMPOTENCY_ERROR)
    return key or None


@contextmanager
def claimed(in_progress: set[str], key: str | None) -> Iterator[None]:
    """Hold a key while its request runs; raise 409 when another request holds it."""
    if key is None:
        yield
        return
    with _lock:
        if key in in_progress:
            raise _in_use(key)
        in_progress.add(key)
    try:
        yield
    finally:
        with _lock:
            in_progress.discard(key)


def fingerprint(params: JSON) -> str:
    """Return a digest of the parameters, whatever their order."""
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def remembered(tx: Transaction, key: str, path: str, params: JSON) -> Answer | None:
    """Return the key's answer; raise 400 when it was first used for something else."""
    row = tx.execute(
        "SELECT path, fingerprint, request_id, status, body FROM idempotency WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != path:
        raise _reused(
            key, f"for the same endpoint they were first used for ('{row[0]}' vs '{path}')"
        )
    if row[1] != fingerprint(params):
        raise _reused(key, "with the same parameters they were first used with")
    return Answer(*row[2:])


def remember(
    tx: Transaction, key: str, path: str, params: JSON, answer: Answer, now: float
) -> None:
    """Store the first execution's answer, in the transaction of its effects."""
    tx.execute(
        "INSERT INTO idempotency (key, path, fingerprint, created, request_id, status, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, path, fingerprint(params), now, answer.request_id, answer.status, answer.body),
    )


def prune(tx: Transaction, now: float) -> int:
    """Forget answers of 24 hours ago and before; return how many."""
    return tx.execute("DELETE FROM idempotency WHERE created <= ?", (now - KEPT_SECONDS,)).rowcount


def _in_use(key: str) -> ApiError:
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably"
        " means you submitted twice, and the other request is still going through):"
        f" {key}. If you meant to execute a different request, please use another key.",
        code="idempotency_key_in_use",
    )


def _reused(key: str, rule: str) -> ApiError:
    return ApiError(
        400,
        f"Keys for idempotent requests can only be used {rule}. Try using a key other than"
        f" '{key}' if you meant to execute a different request.",
        type=IDEMPOTENCY_ERROR,
    )
