"""R2: SIGKILL before and after every statement and commit, on both databases; Stripe sends again;
nothing is lost and nothing doubled."""

import pytest

from tests.support.crash_scenarios import SCENARIOS
from tests.support.crashes import crash_everywhere


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_a_crash_anywhere_costs_nothing(database_url: str, scenario: str) -> None:
    report = crash_everywhere(database_url, scenario, step=2)
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 0
    assert report.violations == []


def test_the_short_way_is_killed_around_its_only_statement(database_url: str) -> None:
    """The count of points is the shape of the hot path: one statement on PostgreSQL, and on
    SQLite six between BEGIN IMMEDIATE and COMMIT. Whoever adds one changes this test knowingly."""
    points = crash_everywhere(database_url, "Paid").points
    if database_url.startswith("sqlite"):
        assert points[0] == "before BEGIN IMMEDIATE"
        assert points[-1] == "after COMMIT"
        assert len([point for point in points if point.startswith("before ")]) == 8, points
    else:
        own = [point for point in points if "WITH payment AS" in point]
        assert own == points[-2:] or own == points[:2], points
