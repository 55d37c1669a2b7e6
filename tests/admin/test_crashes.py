"""SIGKILL between any two steps of what operators do; they press again, and it was done once."""

from flask import Flask

from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.crashes import crash_everywhere

SCENARIOS = {True: "Correcting", False: "Refunding"}
"""On SQLite what grants credits, on PostgreSQL what refunds: a round costs its time, and the two
move credits the same way."""


def test_a_crash_anywhere_does_it_once(
    app: Flask, database_url: str, fakestripe: FakeStripe
) -> None:
    scenario = SCENARIOS[books.is_sqlite(app)]
    report = crash_everywhere(
        database_url,
        f"tests.admin.crash_scenarios:{scenario}",
        stripe_url=fakestripe.url,
        patience_seconds=280,
        step=9,
    )
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) >= 15 // report.step
    assert report.violations == []
