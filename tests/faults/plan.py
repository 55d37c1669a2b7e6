"""What is to go wrong, and when: drawn from a seed, the same whenever it is drawn again.

Time is cut into periods. Of each four one is quiet; which one is drawn. The others get faults from
a shuffled deck, which is dealt out before it is shuffled again: ten minutes meet every kind, each
time in another mix.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

PERIOD_SECONDS = 10.0
BLOCK = 4
"""Periods of which one is quiet."""

AT_ONCE = (1, 4)
"""So many faults are in a period that is not quiet."""

BOTH = {
    "kill_web": "a web server is killed (SIGKILL), with all its processes",
    "kill_web_process": "one process of a web server is killed",
    "kill_worker": "a worker is killed",
    "pause_worker": "a worker stands still for longer than its lease",
    "stripe_slow": "Stripe takes seconds to answer",
    "stripe_errors": "Stripe answers 500, 502, 503 or 504",
    "stripe_limits": "Stripe answers 429",
    "stripe_resets": "Stripe resets connections",
    "stripe_loses_answers": "Stripe does it, and its answer is lost",
    "webhooks_twice": "webhooks are sent twice",
    "webhooks_shuffled": "webhooks come in another order",
    "webhooks_late": "webhooks come hours late",
    "webhooks_dropped": "webhooks never come",
    "webhooks_at_once": "the latest events are sent again, to several processes at once",
    "step_clock": "a process's clock is ten minutes off, either way",
    "hours_at_stripe": "hours pass at Stripe",
}
POSTGRESQL = {
    "restart_database": "PostgreSQL is restarted, politely or not",
    "end_connections": "PostgreSQL ends all its connections",
    "cut_connections": "the network cuts all connections to the database",
    "lose_commits": "a transaction commits, and the connection is cut before its answer",
}
SQLITE = {"disk_full": "the disk is full for whoever writes"}
KINDS = {"postgresql": BOTH | POSTGRESQL, "sqlite": BOTH | SQLITE}
"""Database -> kind of fault -> what it is, in words."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `at` seconds after the start, for `seconds` if it lasts; `draw`
    (0 to 1) chooses which process, which status, which way."""

    kind: str
    at: float
    seconds: float
    draw: float


@dataclass(frozen=True)
class Period:
    """`faults` is empty in a quiet one."""

    start: float
    seconds: float
    faults: tuple[Fault, ...]


def draw(
    seed: int,
    minutes: float,
    database: str,
    *,
    period_seconds: float = PERIOD_SECONDS,
    at_once: tuple[int, int] = AT_ONCE,
) -> tuple[Period, ...]:
    """The plan for a run of so many minutes on this kind of database."""
    chance = Random(f"{seed} {database}")
    deck = _dealt(chance, sorted(KINDS[database]))
    periods: list[Period] = []
    quiet = 0
    for number in range(max(1, round(minutes * 60 / period_seconds))):
        if number % BLOCK == 0:
            quiet = number + chance.randrange(BLOCK)
        start = number * period_seconds
        count = 0 if number == quiet else chance.randint(*at_once)
        faults = [_fault(chance, next(deck), start, period_seconds) for _ in range(count)]
        ordered = tuple(sorted(faults, key=lambda fault: fault.at))
        periods.append(Period(start, period_seconds, ordered))
    return tuple(periods)


def counts(plan: tuple[Period, ...]) -> dict[str, int]:
    """Kind -> how often it is in the plan."""
    kinds = [fault.kind for period in plan for fault in period.faults]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def lines(plan: tuple[Period, ...]) -> list[str]:
    """The plan for people, a line for each period."""
    return [
        f"{period.start:5.0f} s  {', '.join(fault.kind for fault in period.faults) or 'quiet'}"
        for period in plan
    ]


def _dealt(chance: Random, kinds: list[str]) -> Iterator[str]:
    while True:
        yield from chance.sample(kinds, len(kinds))


def _fault(chance: Random, kind: str, start: float, period_seconds: float) -> Fault:
    """Somewhere in the first two thirds of the period; it may last into the next one, which may
    be a quiet one: what heals takes its time as well."""
    at = start + chance.uniform(0, period_seconds * 2 / 3)
    seconds = chance.uniform(period_seconds / 4, period_seconds)
    return Fault(kind, at, seconds, chance.random())
