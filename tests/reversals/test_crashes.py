"""SIGKILL before and after every statement and commit; Stripe sends again; nothing is taken twice,
and nothing kept that should be back."""

import pytest

from tests.support.crashes import crash_everywhere


@pytest.mark.parametrize("scenario", ["Refunded", "WonBack"])
def test_a_crash_anywhere_takes_once(database_url: str, scenario: str) -> None:
    named = f"tests.reversals.crash_scenarios:{scenario}"
    report = crash_everywhere(database_url, named, patience_seconds=280)
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 20
    assert report.violations == []
