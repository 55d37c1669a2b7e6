"""R2, the half that watches: start crash_rounds.py and read what it found."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from storefront.config import ROOT
from tests.support.apps import UNREACHABLE, an_environment
from tests.support.thoroughness import usually

Json = dict[str, Any]
RIGHT_HANDLER = "storefront.handlers:handle"


class Program:
    """crash_rounds.py, started for the first job and kept for the others of this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def does(self, job: Json, patience_seconds: int) -> list[Json]:
        """What it printed of a job; what went wrong is told on stderr. Raises AssertionError when
        the job fails, or takes longer than one has patience for."""
        process = self._running()
        print(json.dumps(job), file=process.stdin, flush=True)
        timer = threading.Timer(patience_seconds, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            return _until_it_ends(process)
        finally:
            timer.cancel()
            timer.join()

    def stop(self) -> None:
        if self._process is not None:
            self._process.communicate()  # closes its stdin, which is its end
            self._process = None

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.support.crash_rounds"],
                cwd=ROOT, text=True, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        return self._process


def _until_it_ends(process: "subprocess.Popen[str]") -> list[Json]:
    told: list[Json] = []
    assert process.stdout is not None
    for line in process.stdout:
        told.append(json.loads(line))
        if "ended" in told[-1]:
            assert told.pop()["ended"] == 0, told
            return told
    raise AssertionError(f"it took too long, or ended by itself, after {len(told)} rounds")


PROGRAM = Program()


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
    rounds = PROGRAM.does(job, patience_seconds)
    assert rounds[-1]["died"] is None, "the last round gets through"
    return CrashReport(
        points=[it["died"] for it in rounds[:-1]],
        violations=[f"{it['died']}: {wrong}" for it in rounds for wrong in it["violations"]],
        harmful_points=sum(bool(it["violations"]) for it in rounds),
        step=step,
    )
