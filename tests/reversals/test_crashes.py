"""SIGKILL before and after every statement and commit; Stripe sends again; nothing is taken twice,
and nothing kept that should be back."""

from flask import Flask

from tests.support import books
from tests.support.crashes import crash_everywhere

SCENARIOS = {True: "WonBack", False: "Refunded"}
"""On SQLite what returns credits, on PostgreSQL what takes them: a round costs its time, and the
two go the same way."""


def test_a_crash_anywhere_moves_credits_once(app: Flask, database_url: str) -> None:
    scenario = SCENARIOS[books.is_sqlite(app)]
    named = f"tests.reversals.crash_scenarios:{scenario}"
    report = crash_everywhere(database_url, named, patience_seconds=280, step=4)
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 40 // report.step
    assert report.violations == []
