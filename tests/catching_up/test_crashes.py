"""R2: SIGKILL before and after every statement, commit and request of a retry and of a catch-up;
the next one makes up for it, and nothing is lost or doubled."""

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.support.crashes import crash_everywhere

SCENARIOS = "tests.support.crash_scenarios_events"


def test_a_retry_that_dies_anywhere_costs_nothing(database_url: str) -> None:
    report = crash_everywhere(database_url, f"{SCENARIOS}:Retrying", step=2)
    assert len(report.points) > 10 // report.step
    assert report.violations == []


@pytest.mark.timeout(600)
def test_a_catch_up_that_dies_anywhere_costs_nothing(
    database_url: str, fakestripe: FakeStripe
) -> None:
    report = crash_everywhere(
        database_url,
        f"{SCENARIOS}:CatchingUp",
        stripe_url=fakestripe.url,
        patience_seconds=500,
        step=4,
    )
    assert len(report.points) > 20 // report.step
    assert report.violations == []
