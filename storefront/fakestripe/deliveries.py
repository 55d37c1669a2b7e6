"""Deliveries of events to endpoints as rows: planned with the event, then tried until a 2xx."""

from __future__ import annotations

from dataclasses import dataclass

from .account import Account, Work
from .errors import JSON
from .records import Record
from .store import Transaction

FIRST_RETRY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 12 * 3600.0
GIVE_UP_SECONDS = 3 * 24 * 3600.0

_ROW = (
    "SELECT d.id, d.event, d.endpoint, d.reason, d.state, d.created, d.next_try, d.attempts,"
    " json_extract(o.body, '$.type') FROM deliveries d JOIN objects o ON o.id = d.event"
)


@dataclass(frozen=True)
class Attempt:
    """One HTTP request to an endpoint: `status` is None when no answer came, then `error` says."""

    at: float
    duration_ms: int
    url: str
    status: int | None
    error: str | None
    response: str
    signature: str

    @property
    def succeeded(self) -> bool:
        """Only 2xx counts; a redirect is a failure, as at Stripe."""
        return self.status is not None and 200 <= self.status < 300


def plan(work: Work, event: Record, endpoints: list[Record]) -> None:
    """Plan an event's deliveries in the transaction that records it, faults included."""
    if not endpoints:
        return
    account = work.account
    fault = account.webhook_faults.draw(event.body["type"])
    kind = fault.kind if fault else ""
    state = {"dropped": "dropped", "shuffled": "held"}.get(kind, "pending")
    wait = fault.seconds if fault and kind == "late" else 0.0
    ids = [_add(work, event.id, e.id, "event", state, wait) for e in endpoints]
    if kind == "twice":
        ids += [_add(work, event.id, e.id, "duplicate", state, wait) for e in endpoints]
    if fault and kind == "shuffled":
        held = fault
        work.tx.after_commit.append(
            lambda: account.deliverer.run_batch(account.webhook_faults.hold(held, ids))
        )
    work.tx.after_commit.append(account.deliverer.wake)


def redeliver(work: Work, event: Record, endpoints: list[Record], times: int) -> list[int]:
    """Plan deliveries on demand, past all faults; return their ids."""
    work.tx.after_commit.append(work.account.deliverer.wake)
    return [
        _add(work, event.id, endpoint.id, "redelivery", "pending", 0.0)
        for _ in range(times)
        for endpoint in endpoints
    ]


def record_attempt(account: Account, tx: Transaction, delivery: JSON, attempt: Attempt) -> None:
    """Store an attempt and decide what comes next: done, a later try, or giving up."""
    if get(tx, delivery["id"]) is None:
        return  # everything was reset while the request was under way
    tx.execute(
        "INSERT INTO attempts (delivery, at, duration_ms, url, status, error, response, signature)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery["id"],
            attempt.at,
            attempt.duration_ms,
            attempt.url,
            attempt.status,
            attempt.error,
            attempt.response,
            attempt.signature,
        ),
    )
    now, made = account.clock.time(), delivery["attempts"] + 1
    wait = min(FIRST_RETRY_SECONDS * 2 ** (made - 1), LONGEST_WAIT_SECONDS)
    state = "pending"
    if attempt.succeeded:
        state = "delivered"
    elif now + wait - delivery["created"] > GIVE_UP_SECONDS:
        state = "failed"
    tx.execute(
        "UPDATE deliveries SET state = ?, attempts = ?, next_try = ? WHERE id = ?",
        (state, made, now + wait, delivery["id"]),
    )


def abandon(tx: Transaction, id: int) -> None:
    """Stop a delivery whose endpoint is gone or disabled (it loses its retries)."""
    tx.execute("UPDATE deliveries SET state = 'failed' WHERE id = ?", (id,))


def release_held(tx: Transaction) -> None:
    """Make deliveries pending that a fault held back before a restart."""
    tx.execute("UPDATE deliveries SET state = 'pending' WHERE state = 'held'")


def next_due(tx: Transaction, in_flight: set[int]) -> tuple[int, float] | None:
    """Return the pending delivery that is due first and when, leaving out those under way."""
    rows = tx.execute(
        "SELECT id, next_try FROM deliveries WHERE state = 'pending' ORDER BY next_try, id LIMIT ?",
        (len(in_flight) + 1,),
    )
    return next(((row[0], row[1]) for row in rows if row[0] not in in_flight), None)


def get(tx: Transaction, id: int) -> JSON | None:
    """Return one delivery without its attempts, or None."""
    row = tx.execute(_ROW + " WHERE d.id = ?", (id,)).fetchone()
    return None if row is None else _shown(row)


def listed(tx: Transaction, event: str | None, limit: int) -> list[JSON]:
    """Return deliveries newest first, each with every attempt."""
    where, values = (" WHERE d.event = ?", (event,)) if event else ("", ())
    rows = tx.execute(_ROW + where + " ORDER BY d.id DESC LIMIT ?", (*values, limit)).fetchall()
    return [{**_shown(row), "tries": _attempts(tx, row[0])} for row in rows]


def counts(tx: Transaction) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    found = dict.fromkeys(("pending", "held", "delivered", "failed", "dropped"), 0)
    rows = tx.execute("SELECT state, COUNT(*) FROM deliveries GROUP BY state").fetchall()
    return {**found, **dict(rows)}


def undelivered_endpoints(tx: Transaction, event: str) -> int:
    """Return how many endpoints have not answered an event with 2xx yet."""
    rows = tx.execute(
        "SELECT endpoint FROM deliveries WHERE event = ?"
        " GROUP BY endpoint HAVING SUM(state = 'delivered') = 0",
        (event,),
    )
    return len(rows.fetchall())


def _add(work: Work, event: str, endpoint: str, reason: str, state: str, wait: float) -> int:
    now = work.account.clock.time()
    cursor = work.tx.execute(
        "INSERT INTO deliveries (event, endpoint, reason, state, created, next_try)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (event, endpoint, reason, state, now, now + wait),
    )
    return cursor.lastrowid or 0


def _shown(row: tuple[object, ...]) -> JSON:
    names = (
        "id",
        "event",
        "endpoint",
        "reason",
        "state",
        "created",
        "next_try",
        "attempts",
        "type",
    )
    return dict(zip(names, row, strict=True))


def _attempts(tx: Transaction, delivery: int) -> list[JSON]:
    names = ("at", "duration_ms", "url", "status", "error", "response", "signature")
    rows = tx.execute(
        "SELECT at, duration_ms, url, status, error, response, signature"
        " FROM attempts WHERE delivery = ? ORDER BY id",
        (delivery,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
