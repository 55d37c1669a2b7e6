"""Workers as processes: killed in mid-job, stopped politely, several at once."""

import signal
from pathlib import Path

import pytest
from flask import Flask

from tests.support.promised import due_now, promised, row, states, works
from tests.support.served import eventually
from tests.support.workers import WatchedJobs, a_worker


@pytest.fixture
def watched(tmp_path: Path) -> WatchedJobs:
    folder = tmp_path / "watched"
    folder.mkdir()
    return WatchedJobs(folder)


def test_a_worker_killed_in_mid_job_costs_time_and_no_job(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    promised(app, "wait", "a", name="a")
    with a_worker(watched, database_url) as first:
        eventually(lambda: watched.told() == ["begun a"], "the job has begun")
        first.kill()
        first.wait(10)
    assert states(app) == {"a": "running"}, "its lease has not ended yet"
    watched.go()
    assert works(app, watched.registry()) == 0, "and is respected"
    due_now(app, "a")
    with a_worker(watched, database_url):
        eventually(lambda: states(app) == {"a": "done"}, "the next worker does it")
    assert watched.told() == ["begun a", "begun a", "done a"]


def test_a_worker_told_to_stop_finishes_the_job_in_hand(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    for name in ("a", "b"):
        promised(app, "wait", name, name=name)
    with a_worker(watched, database_url) as worker:
        eventually(lambda: len(watched.told()) == 1, "one job has begun")
        worker.send_signal(signal.SIGTERM)
        watched.go()
        assert worker.wait(20) == 0
    (begun, done) = watched.told()
    assert done == begun.replace("begun", "done")
    assert sorted(states(app).values()) == ["done", "waiting"]


def test_an_idle_worker_ends_at_once_when_told(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    promised(app, "note", "a", name="a")
    with a_worker(watched, database_url) as worker:
        eventually(lambda: states(app) == {"a": "done"}, "it is up")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def test_a_job_that_kills_its_worker_takes_no_other_with_it(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    """Its batch mates lose one lease, and are never counted as often as it is."""
    promised(app, "die", "deadly", name="deadly")
    for name in ("a", "b", "c"):
        promised(app, "note", name, name=name)
    for attempt in range(1, 4):
        with a_worker(watched, database_url) as worker:
            assert worker.wait(20) == -signal.SIGKILL
        assert row(app, "deadly")["attempts"] == attempt
        for key in states(app):
            due_now(app, key)
    promised(app, "note", "d", name="d")
    works(app, {"note": watched.note, "die": watched.note}, batch=10)
    mates = [row(app, key) for key in ("a", "b", "c")]
    assert all(mate["attempts"] <= 2 for mate in mates)
    assert row(app, "d")["done_at"] is not None


def test_two_workers_do_forty_jobs_once_each(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    for number in range(40):
        promised(app, "note", f"{number}", name=f"{number}")
    with a_worker(watched, database_url), a_worker(watched, database_url):
        eventually(lambda: set(states(app).values()) == {"done"}, "all are done")
    assert sorted(watched.told()) == sorted(f"done {number}" for number in range(40))


def test_a_failing_job_leaves_the_worker_running(
    app: Flask, database_url: str, watched: WatchedJobs
) -> None:
    promised(app, "fail", "a", name="a")
    with a_worker(watched, database_url):
        eventually(lambda: states(app) == {"a": "failed"}, "it failed")
        promised(app, "note", "b", name="b")
        eventually(lambda: states(app)["b"] == "done", "the next is done all the same")
