"""R2, the half that watches: start crash_rounds.py and read what it found."""

import json
import random
import subprocess
import sys
from dataclasses import dataclass

from storefront.config import ROOT
from tests.support.apps import UNREACHABLE, an_environment
from tests.support.thoroughness import usually

RIGHT_HANDLER = "storefront.handlers:handle"


@dataclass(frozen=True)
class CrashReport:
    """`points`: where the process was killed, one after the other; `violations`: what was wrong
    after redelivery, each with its point; `harmful_points`: at how many points; `step`: every
    how-manieth point that was."""

    points: list[str]
    violations: list[str]
    harmful_points: int
    step: int = 1


def crash_everywhere(
    database_url: str,
    scenario: str,
    *,
    handler: str = RIGHT_HANDLER,
    stripe_url: str = UNREACHABLE,
    patience_seconds: int = 110,
    step: int = 1,
) -> CrashReport:
    """Kill the scenario before and after each of its statements, commits and requests.

    With a `step`, at every how-manieth of them, beginning at one that the run's seed draws: long
    scenarios take too long otherwise. A thorough run kills at each all the same.
    """
    step = usually(step, thorough=1)
    environment = an_environment(database_url, STRIPE_API_BASE=stripe_url)
    job = {"environment": environment, "scenario": scenario, "handler": handler}
    job |= {"first": random.randint(1, step), "step": step}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.crash_rounds", json.dumps(job)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience_seconds,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert rounds[-1]["died"] is None, "the last round gets through"
    return CrashReport(
        points=[it["died"] for it in rounds[:-1]],
        violations=[f"{it['died']}: {wrong}" for it in rounds for wrong in it["violations"]],
        harmful_points=sum(bool(it["violations"]) for it in rounds),
        step=step,
    )
