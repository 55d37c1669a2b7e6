"""R2, the half that dies: a program that runs a scenario again and again, each time in a forked
process that is killed with SIGKILL one point (or `step` points) later, and then delivers again what
Stripe would.

It is a program of its own because a fork wants a process without threads. It reads a line of JSON
for each job ({"environment": {…}, "scenario": "…", "handler": "…", "first": …, "step": …}), which a
fork of it does: starting anew takes longer than most jobs do. It prints a line of JSON for each
round, the point at which the process died and what was wrong after redelivery, and for the end of
the job its status.
"""

import gc
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import requests
from flask import Flask
from sqlalchemy import event as sqlalchemy_event

from storefront import config
from storefront.db import AT_ONCE, db
from tests.support import crash_scenarios
from tests.support.apps import an_app, dispose, hurry
from tests.support.crash_scenarios import Scenario

MAXIMUM_POINTS = 200


class KillSwitch:
    """Counts points and kills this process at the chosen one, after telling where that was."""

    def __init__(self, fatal: int, tell: Callable[[dict[str, Any]], None]) -> None:
        self.fatal = fatal
        self.count = 0
        self.tell = tell

    def point(self, name: str) -> None:
        self.count += 1
        if self.count == self.fatal:
            self.tell({"died": name})
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    hurry()
    for line in sys.stdin:
        job = json.loads(line)
        _, status = os.waitpid(_forked(job), 0)
        _print({"ended": status})


def _forked(job: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        _finish(lambda: rounds(job))
    return child


def rounds(job: dict[str, Any]) -> None:
    """All rounds of a job. Raises AssertionError when the scenario goes wrong without a crash."""
    with tempfile.TemporaryDirectory() as root:
        app = an_app(config.load(job["environment"], root=Path(root)))
        scenario = _imported(job["scenario"])(app, _imported(job["handler"]))
        _warm_up(app, scenario)
        for fatal in range(job["first"], MAXIMUM_POINTS, job["step"]):
            died, violations = one_round(app, scenario, fatal)
            _print({"died": died, "violations": violations})
            if died is None:
                return
    raise AssertionError("the scenario does not end")


def _warm_up(app: Flask, scenario: Scenario) -> None:
    """Once through without a crash, so that no fork has to compile its statements anew; forks
    inherit neither connections nor garbage to collect."""
    facts = scenario.prepare()
    with app.app_context():
        scenario.act(facts)
    assert scenario.check(facts) == [], "without a crash all is well"
    with app.app_context():
        dispose()
    gc.freeze()


def one_round(app: Flask, scenario: Scenario, fatal: int) -> tuple[str | None, list[str]]:
    """Where the process died (None: it got through), and the violations after redelivery."""
    told = in_fork(lambda tell: _live(app, scenario, fatal, tell), may_die=True)
    facts = next(it["facts"] for it in told if "facts" in it)
    died = next((it["died"] for it in told if "died" in it), None)
    answer = in_fork(lambda tell: tell({"violations": scenario.check(facts)}))
    return died, answer[0]["violations"]


def in_fork(
    work: Callable[[Callable[[dict[str, Any]], None]], None], *, may_die: bool = False
) -> list[dict[str, Any]]:
    """Run `work` in a forked process and return what it told, through a pipe that outlives it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_and_exit(work, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if status != 0 and not (may_die and killed):
        raise AssertionError(f"a round failed by itself: status {status}, told {told}")
    return told


def _run_and_exit(work: Callable[[Callable[[dict[str, Any]], None]], None], writer: int) -> None:
    def tell(facts: dict[str, Any]) -> None:
        os.write(writer, json.dumps(facts).encode() + b"\n")

    _finish(lambda: work(tell))


def _finish(work: Callable[[], None]) -> NoReturn:
    """Do this as all that a fork does."""
    try:
        work()
    except BaseException:  # noqa: BLE001  whatever it was, a fork must not live on as a second us
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _print(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


def _live(
    app: Flask, scenario: Scenario, fatal: int, tell: Callable[[dict[str, Any]], None]
) -> None:
    facts = scenario.prepare()
    tell({"facts": facts})
    with app.app_context():
        _instrument(KillSwitch(fatal, tell))
        scenario.act(facts)


def _instrument(switch: KillSwitch) -> None:
    """Put a point before and after each statement, each commit, and each request over HTTP."""
    engine = db.engine

    @sqlalchemy_event.listens_for(engine, "before_cursor_execute")
    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        switch.point(f"before {_short(statement)}")

    @sqlalchemy_event.listens_for(engine, "after_cursor_execute")
    def after(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        switch.point(f"after {_short(statement)}")

    if AT_ONCE in db.engines:  # one statement for each time that a connection is lent

        @sqlalchemy_event.listens_for(db.engines[AT_ONCE], "checkout")
        def lent(*_: Any) -> None:
            switch.point("before WITH payment AS")

        @sqlalchemy_event.listens_for(db.engines[AT_ONCE], "checkin")
        def given_back(*_: Any) -> None:
            switch.point("after WITH payment AS")

    _wrap(engine.dialect, "do_commit", switch, "COMMIT")
    _wrap(requests.Session, "send", switch, "request")


def _wrap(owner: Any, name: str, switch: KillSwitch, what: str) -> None:
    inner = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        switch.point(f"before {what}")
        result = inner(*arguments, **named)
        switch.point(f"after {what}")
        return result

    setattr(owner, name, wrapped)


def _short(statement: str) -> str:
    return " ".join(statement.split())[:60]


def _imported(reference: str) -> Any:
    """A name of crash_scenarios, or of another module as `module:name`."""
    module, _, name = reference.rpartition(":")
    return getattr(import_module(module or crash_scenarios.__name__), name)


if __name__ == "__main__":
    main()
