"""A short run of bin/chaos on each database: nearly every kind of fault in a few seconds, and no
credit lost or doubled.

A failure prints its seed; `CHAOS_SEED=<seed>` draws the same plan again.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.faults import plan, telling
from tests.faults.processes import Nursery, a_nursery
from tests.faults.run import Stage, run
from tests.faults.shops import Size
from tests.support.thoroughness import usually

SIZES = {"postgresql": Size(2, 1, 1, 3, 1.0), "sqlite": Size(1, 1, 1, 3, 1.0)}
PERIOD_SECONDS = 0.8
AT_ONCE = 6
"""In three of four periods: eighteen of the twenty kinds."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with a_nursery() as nursery:
        yield nursery


@pytest.mark.parametrize("database", SIZES)
def test_what_goes_wrong_costs_nobody_a_credit(
    database: str, tmp_path: Path, fakestripe: FakeStripe, nursery: Nursery
) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.getrandbits(32))
    print(f"CHAOS_SEED={seed}")
    minutes = usually(4, thorough=100) * PERIOD_SECONDS / 60
    drawn = plan.draw(
        seed, minutes, database, period_seconds=PERIOD_SECONDS, at_once=(AT_ONCE, AT_ONCE)
    )
    stage = Stage(tmp_path, fakestripe, nursery, database, SIZES[database], patience_seconds=3)
    report = run(stage, drawn, seed)
    told = "\n".join([*plan.lines(drawn), *telling.lines(report)])
    print(told)
    assert report.wrong == (), told
    assert report.injected == plan.counts(drawn), told
