"""SIGKILL before and after every statement, commit and request of a repair: the next one makes
up for it, and nothing is credited or taken twice."""

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.support.crashes import crash_everywhere


@pytest.mark.timeout(600)
def test_a_repair_that_dies_anywhere_can_be_repeated(
    database_url: str, fakestripe: FakeStripe
) -> None:
    report = crash_everywhere(
        database_url,
        "tests.reconciling.crash_scenarios:Repairing",
        stripe_url=fakestripe.url,
        patience_seconds=500,
        step=13,
    )
    print(f"killed at {len(report.points)} points")
    assert len(report.points) > 40 // report.step
    assert report.violations == []
