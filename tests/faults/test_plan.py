"""The plan: the same for the same seed, no kind of fault forgotten, and rest in between."""

import pytest

from tests.faults import plan
from tests.faults.injecting import Injector
from tests.faults.plan import BLOCK, KINDS


def test_a_seed_draws_one_plan() -> None:
    """Another seed, or another database, draws another."""
    drawn = [plan.draw(seed, 10, name) for seed in (1, 2) for name in KINDS]
    assert [plan.draw(seed, 10, name) for seed in (1, 2) for name in KINDS] == drawn
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("database", KINDS)
def test_ten_minutes_meet_every_kind_of_fault(database: str) -> None:
    """And so does the half of them that each database gets when both are broken."""
    for seed in range(20):
        assert set(plan.counts(plan.draw(seed, 5, database))) == set(KINDS[database])


def test_a_quarter_of_the_periods_is_quiet() -> None:
    for seed in range(20):
        drawn = plan.draw(seed, 10, "postgresql")
        assert len(drawn) == 60
        for first in range(0, len(drawn), BLOCK):
            assert sum(not period.faults for period in drawn[first : first + BLOCK]) == 1


def test_faults_lie_in_their_period() -> None:
    for period in plan.draw(3, 10, "sqlite"):
        for fault in period.faults:
            assert period.start <= fault.at < period.start + period.seconds
            assert 0 < fault.seconds <= period.seconds


def test_each_kind_can_be_injected() -> None:
    assert {kind for kinds in KINDS.values() for kind in kinds} <= set(dir(Injector))
