"""SIGKILL before and after every statement, commit and request: nothing is lost, nothing is sold
twice, and never are there two pages to pay."""

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.support.crashes import crash_everywhere

SCENARIOS = "tests.checkouts.crash_scenarios"
PATIENCE_SECONDS = 280


@pytest.mark.parametrize("scenario", ["Bought", "BoughtOnThePage"])
def test_a_crash_anywhere_costs_no_purchase(database_url: str, scenario: str) -> None:
    report = crash_everywhere(
        database_url, f"{SCENARIOS}:{scenario}", patience_seconds=PATIENCE_SECONDS, step=5
    )
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 20 // report.step
    assert report.violations == []


@pytest.mark.parametrize("scenario", ["Opening", "Displacing"])
def test_a_crash_anywhere_while_opening_leaves_one_page_to_pay(
    database_url: str, fakestripe: FakeStripe, scenario: str
) -> None:
    report = crash_everywhere(
        database_url,
        f"{SCENARIOS}:{scenario}",
        stripe_url=fakestripe.url,
        patience_seconds=PATIENCE_SECONDS,
        step=4,
    )
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 12 // report.step
    assert report.violations == []
