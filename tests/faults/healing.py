"""After the faults: what makes up for them, in the order in which an operator would have it, each
step with an end. What even this does not heal is told, and is a failure."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from tests.faults.shops import Shop
from tests.support import databases

READY_SECONDS = 60
JOBS_SECONDS = 120
"""Patience with jobs that are left: in all, not at each look."""

DELIVERY_ROUNDS = 12
HALF_A_DAY_SECONDS = 12 * 3600 + 60
"""Nothing waits longer for its next delivery: docs/fakestripe.md."""

ROUNDS = 3
LAST_LINES = 40
POLL_SECONDS = 0.1

UNDONE = "SELECT key, kind, last_error FROM jobs WHERE done_at IS NULL AND kind NOT IN ({runs})"
FAILED = (
    "SELECT id, type, state, last_error FROM stripe_events"
    " WHERE state NOT IN ('handled', 'ignored')"
)
RUNS = (
    "expire_credits", "seal_ledger", "grant_plan_credits", "follow_grants", "refresh_prices",
    "retry_events", "catch_up", "expire_stale", "reconcile", "sum_up_days", "verify_ledger",
    "prune_jobs", "prune_sessions", "prune_events",
)  # fmt: skip
"""The schedule's: while workers run there is always one to come."""


@dataclass
class Healed:
    """What it took, and what is wrong all the same."""

    retried_jobs: int = 0
    retried_events: int = 0
    missing_events: int = 0
    mended: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    patience_seconds: float = JOBS_SECONDS


def heal(shop: Shop) -> Healed:
    """Until nothing is left to do, or what is left does not go away."""
    healed = Healed()
    try:
        wait(shop.ready, READY_SECONDS, "a web server does not answer")
    except TimeoutError as error:
        healed.troubles.append(f"{error} without faults")
        return healed
    with databases.connected(shop.books_url) as books:
        _deliver(shop, healed)
        for _ in range(ROUNDS):
            _do_jobs(shop, books, healed)
            _retry_events(shop, books, healed)
        _catch_up(shop, healed)
        _do_jobs(shop, books, healed)
        _repair(shop, healed)
        _deliver(shop, healed)
        _do_jobs(shop, books, healed)
        healed.troubles += _left(shop, books)
        healed.troubles += [f"event {' '.join(map(str, it))}" for it in _rows(books, FAILED)]
    _compare(shop, healed)
    return healed


def wait(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Until something is true. Raises TimeoutError, which says what is not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} after {seconds:.0f} seconds")
        time.sleep(POLL_SECONDS)


def _deliver(shop: Shop, healed: Healed) -> None:
    """Stripe sends what it has not sent yet: hours pass until it tries again."""
    for _ in range(DELIVERY_ROUNDS):
        counts = shop.stripe.control("state")["deliveries"]
        if counts["pending"] + counts["held"] == 0:
            return
        shop.stripe.advance(HALF_A_DAY_SECONDS)
    healed.troubles.append(f"webhooks are still on their way: {counts}")


def _do_jobs(shop: Shop, books: Connection, healed: Healed) -> None:
    """Workers do what is due; what failed in the faults would wait for its next try, and an
    operator has it tried now."""
    began = time.monotonic()
    tried: set[str] = set()
    while undone := _undone(books):
        failed = [key for key, _, error in undone if error is not None and key not in tried]
        for key in failed:
            tried.add(key)
            healed.retried_jobs += shop.flask("jobs", "retry", key)[0] == 0
        if time.monotonic() - began > healed.patience_seconds:
            break
        time.sleep(POLL_SECONDS)
    healed.patience_seconds = max(0.0, healed.patience_seconds - (time.monotonic() - began))


def _retry_events(shop: Shop, books: Connection, healed: Healed) -> None:
    failed = len(_rows(books, FAILED))
    if failed:
        healed.retried_events += failed
        shop.flask("webhooks", "retry", "--all")


def _catch_up(shop: Shop, healed: Healed) -> None:
    """What Stripe never sent."""
    code, said = shop.flask("webhooks", "catch-up")
    found = re.search(r"(\d+) were missing", said)
    healed.missing_events += int(found[1]) if found else 0
    if code:
        healed.troubles.append(f"flask webhooks catch-up ended with {code}: {said.strip()}")


def _repair(shop: Shop, healed: Healed) -> None:
    """What none of this found: counted, by kind."""
    _, said = shop.flask("reconcile", "--min-age", "0m", "--repair", "--json")
    for difference in json.loads(said)["differences"]:
        kind = difference["kind"]
        healed.mended[kind] = healed.mended.get(kind, 0) + 1


def _compare(shop: Shop, healed: Healed) -> None:
    """The shop's own judges: each must find nothing."""
    for command in (("reconcile", "--min-age", "0m"), ("ledger", "verify")):
        code, said = shop.flask(*command)
        if code:
            healed.troubles.append(f"flask {' '.join(command)} ended with {code}:\n{said.strip()}")


def _left(shop: Shop, books: Connection) -> list[str]:
    """Jobs that nobody has done, with all that is known of them and of the workers."""
    if not (undone := _undone(books)):
        return []
    rows = {row[0]: row for row in _rows(books, "SELECT * FROM jobs WHERE done_at IS NULL")}
    workers = shop.processes.named("worker")
    for node in workers:
        shop.processes.says_where_it_stands(node)
    ends = [
        f"{node.name}, {node.state}, life {node.lives}, says last:\n{node.last_words(LAST_LINES)}"
        for node in workers
    ]
    return [*(f"job {' '.join(map(str, rows.get(it[0], it)))}" for it in undone), *ends]


def _undone(books: Connection) -> list[tuple[str, ...]]:
    return _rows(books, UNDONE.format(runs=", ".join(f"'{name}'" for name in RUNS)))


def _rows(books: Connection, query: str) -> list[tuple[str, ...]]:
    found = [tuple(row) for row in books.execute(text(query))]
    books.rollback()  # look anew the next time
    return found
