"""The schedule, made visible: each entry with its last run, how long it took, what went wrong."""

import json
from datetime import timedelta
from typing import Any

from flask import Flask

from storefront import jobs, work
from storefront.db import db, transaction, utcnow
from storefront.jobs import EntryState, Scheduled
from tests.support.promised import promised, row, works


def state(app: Flask, entry: Scheduled) -> EntryState:
    with app.app_context():
        (found,) = jobs.schedule_state(db.session(), (entry,), utcnow())
    return found


def an_entry(function: Any, **interval: int) -> Scheduled:
    return Scheduled("sweep", timedelta(**(interval or {"days": 1})), function)


def runs(app: Flask, entry: Scheduled, key: str = "run:sweep:1") -> dict[str, Any]:
    """What became of the job."""
    promised(app, entry.name, key)
    works(app, {entry.name: jobs.recorded(entry.name, entry.function)})
    return row(app, key)


def test_a_run_is_remembered_when_its_job_is_pruned(app: Flask) -> None:
    entry = an_entry(lambda _args: None)
    before = state(app, entry)
    assert (before.state, before.started_at, before.next_at > utcnow()) == ("never run", None, True)
    runs(app, entry)
    with app.app_context(), transaction() as session:
        session.execute(db.text("DELETE FROM jobs"))
    after = state(app, entry)
    assert (after.state, after.error) == ("ok", None)
    assert after.took_ms is not None and after.started_at is not None
    assert after.succeeded_at is not None and after.succeeded_at >= after.started_at
    assert after.next_at == entry.period(utcnow()) + entry.interval


def test_a_failure_is_shown_until_a_run_succeeds_and_its_job_is_tried_again(app: Flask) -> None:
    def fail(_args: object) -> None:
        with transaction() as session:
            session.execute(db.text("SELECT nothing"))

    runs(app, an_entry(lambda _args: None))
    succeeded_at = state(app, an_entry(fail)).succeeded_at
    job = runs(app, an_entry(fail), "run:sweep:2")
    failed = state(app, an_entry(fail))
    assert failed.state == "failed" and "SELECT nothing" in str(failed.error)
    assert failed.succeeded_at == succeeded_at
    assert job["done_at"] is None and job["attempts"] == 1
    runs(app, an_entry(lambda _args: None), "run:sweep:3")
    assert state(app, an_entry(fail)).state == "ok"


def test_a_run_that_could_not_do_all_is_shown_and_left_to_the_next(app: Flask) -> None:
    def be_cut_short(_args: object) -> None:
        raise jobs.Incomplete("ended early: nobody answers")

    job = runs(app, an_entry(be_cut_short))
    assert job["done_at"] is not None
    assert state(app, an_entry(be_cut_short)).error == "ended early: nobody answers"


def test_an_entry_without_a_run_for_a_whole_period_is_late(app: Flask) -> None:
    entry = an_entry(lambda _args: None, hours=1)
    runs(app, entry)
    assert state(app, entry).state == "ok"
    with app.app_context():
        later = utcnow() + timedelta(hours=2, minutes=1)
        (found,) = jobs.schedule_state(db.session(), (entry,), later)
    assert found.state == "late"


def test_a_run_says_that_it_is_running_and_a_later_one_is_the_latest(app: Flask) -> None:
    seen: list[str] = []

    def look(_args: object) -> None:
        seen.append(state(app, an_entry(look)).state)
        if len(seen) == 1:  # a second worker begins and ends meanwhile
            jobs.recorded("sweep", look)({})
            raise jobs.Incomplete("the first of two")

    runs(app, an_entry(look))
    assert seen == ["running", "running"]
    after = state(app, an_entry(look))
    assert (after.state, after.error) == ("ok", None)


def test_the_command_shows_every_entry_and_a_worker_runs_them_all(app: Flask) -> None:
    runner = app.test_cli_runner()
    names = [each.name for each in work.SCHEDULE]
    assert {
        "expire_stale", "catch_up", "retry_events", "expire_credits", "grant_plan_credits",
        "prune_jobs", "prune_sessions", "prune_events",
    } <= set(names)  # fmt: skip
    before = json.loads(runner.invoke(args=["jobs", "schedule", "--json"]).output)
    assert [it["name"] for it in before] == names
    assert {it["state"] for it in before} == {"never run"}
    runner.invoke(args=["worker", "--once"])
    found = {
        it["name"]: it
        for it in json.loads(runner.invoke(args=["jobs", "schedule", "--json"]).output)
    }
    assert found["catch_up"]["interval_seconds"] == 600
    assert found["catch_up"]["error"].startswith("ended early"), (
        "nobody answers at Stripe's address"
    )
    assert {it["state"] for it in found.values()} <= {"ok", "failed"}
    assert found["expire_credits"]["state"] == "ok"
    header, *lines = runner.invoke(args=["jobs", "schedule"]).output.splitlines()
    assert header.split("  ")[0] == "entry"
    assert [line.split()[0] for line in lines] == names
    (line,) = (line for line in lines if line.startswith("expire_stale"))
    assert "1 h" in line and " ok " in line and " ms " in line
