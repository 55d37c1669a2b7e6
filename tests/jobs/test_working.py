"""Promises and turns of a worker: once, in any order, with failures, poison and lost leases."""

import threading
from collections.abc import Iterator
from datetime import UTC, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import cast

from storefront import jobs
from storefront.db import clock, db, transaction, utc_text, utcnow
from storefront.jobs import MAXIMUM_ATTEMPTS, Args, GiveUp
from tests.support import books
from tests.support.promised import due_now, promised, row, states, works
from tests.support.races import at_once, raised


class Done:
    """A registry that remembers what it was asked to do."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.registry = {"note": self.note, "fail": self.fail, "hopeless": self.hopeless}

    def note(self, args: Args) -> None:
        self.names.append(args["name"])

    def fail(self, args: Args) -> None:
        self.note(args)
        raise RuntimeError("broken\0pipe")

    def hopeless(self, args: Args) -> None:
        self.note(args)
        raise GiveUp("there is no such address")


@pytest.fixture
def done() -> Iterator[Done]:
    yield Done()


def test_a_promise_is_kept_once_with_its_arguments(app: Flask, done: Done) -> None:
    promised(app, "note", "a", name="Zoë", more=[1, None])
    assert states(app) == {"a": "waiting"}
    assert [works(app, done.registry), works(app, done.registry)] == [1, 0]
    assert done.names == ["Zoë"]
    assert states(app) == {"a": "done"}


def test_the_same_key_twice_is_one_job_also_after_it_was_done(app: Flask, done: Done) -> None:
    assert promised(app, "note", "a", name="first") is True
    assert promised(app, "note", "a", name="second") is False
    works(app, done.registry)
    assert promised(app, "note", "a", name="third") is False
    assert works(app, done.registry) == 0
    assert done.names == ["first"]


def test_a_promise_is_rolled_back_with_what_asked_for_it(app: Flask, done: Done) -> None:
    with app.app_context(), pytest.raises(RuntimeError), transaction() as session:
        jobs.promise(session, "note", {"name": "a"}, key="a")
        raise RuntimeError("the change failed")
    assert states(app) == {}


def test_promises_are_made_inside_a_transaction_only(app: Flask) -> None:
    with app.app_context(), pytest.raises(AssertionError):
        jobs.promise(db.session(), "note", {}, key="a")


def test_a_job_waits_for_its_time_and_the_oldest_is_first(app: Flask, done: Done) -> None:
    now = utcnow()
    promised(app, "note", "tomorrow", name="tomorrow", run_at=now + timedelta(days=1))
    for hours in (1, 3, 2):
        promised(app, "note", f"{hours}", name=f"{hours}", run_at=now - timedelta(hours=hours))
    assert works(app, done.registry) == 3
    assert done.names == ["3", "2", "1"]
    assert states(app)["tomorrow"] == "waiting"


def test_a_failure_is_written_down_and_tried_again_later(app: Flask, done: Done) -> None:
    promised(app, "fail", "a", name="a")
    works(app, done.registry)
    assert states(app) == {"a": "failed"}
    assert row(app, "a")["last_error"] == "RuntimeError: brokenpipe"
    assert works(app, done.registry) == 0, "not before its time"
    due_now(app, "a")
    assert works(app, done.registry | {"fail": done.note}) == 1
    assert (states(app), row(app, "a")["last_error"]) == ({"a": "done"}, None)


def test_each_failure_waits_about_twice_as_long_and_the_last_gives_up(
    app: Flask, done: Done, caplog: pytest.LogCaptureFixture
) -> None:
    promised(app, "fail", "a", name="a")
    promised(app, "note", "b", name="b", run_at=utcnow() + timedelta(days=9))
    for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
        due_now(app, "a")
        assert works(app, done.registry) == 1, attempt
        assert row(app, "a")["attempts"] == attempt
    assert states(app)["a"] == "given up"
    due_now(app, "a")
    assert works(app, done.registry) == 0
    assert f"job a given up at attempt {MAXIMUM_ATTEMPTS}" in caplog.text
    with app.app_context():
        assert [job.key for job in jobs.listed(db.session())] == ["a", "b"]


def test_delays_double_with_jitter_and_last_through_a_day(app: Flask) -> None:
    from storefront.jobs.records import delay_seconds

    delays = [[delay_seconds(attempt) for _ in range(20)] for attempt in range(1, 20)]
    assert all(5 * 2**n <= delay < 5 * 2**n * 5 / 4 + 1 for n in range(11) for delay in delays[n])
    assert all(10_800 <= delay <= 13_500 for delay in delays[-1])
    assert len(set(delays[5])) > 1, "jobs that failed together do not come back together"
    assert sum(map(min, delays)) > 24 * 3600


def test_what_is_hopeless_is_not_tried_again_until_a_person_asks(app: Flask, done: Done) -> None:
    promised(app, "hopeless", "a", name="a")
    works(app, done.registry)
    assert states(app) == {"a": "given up"}
    listed = app.test_cli_runner().invoke(args=["jobs", "list"])
    assert "a (hopeless): given up, attempt 1: there is no such address" in listed.output
    retried = app.test_cli_runner().invoke(args=["jobs", "retry", "a"])
    assert (retried.exit_code, states(app)) == (0, {"a": "waiting"})
    works(app, done.registry | {"hopeless": done.note})
    assert states(app) == {"a": "done"}
    again = app.test_cli_runner().invoke(args=["jobs", "retry", "a"])
    assert again.exit_code == 1


def test_a_kind_that_nobody_knows_is_kept_for_a_newer_worker(app: Flask, done: Done) -> None:
    promised(app, "of tomorrow", "a", name="a")
    works(app, done.registry)
    assert states(app) == {"a": "failed"}
    assert "of tomorrow" in row(app, "a")["last_error"]


def test_a_poison_job_holds_up_no_other(app: Flask, done: Done) -> None:
    promised(app, "fail", "poison", name="poison", run_at=utcnow() - timedelta(hours=1))
    for number in range(25):
        promised(app, "note", f"{number}", name=f"{number}")
    for _ in range(4):
        works(app, done.registry)
    assert sorted(done.names) == sorted([*map(str, range(25)), "poison"])


def test_a_job_that_spoils_its_session_spoils_no_other(app: Flask, done: Done) -> None:
    def spoil(_args: Args) -> None:
        with transaction() as session:
            session.execute(db.text("SELECT * FROM nowhere"))

    promised(app, "spoil", "a", run_at=utcnow() - timedelta(hours=1))
    promised(app, "note", "b", name="b")
    works(app, done.registry | {"spoil": spoil})
    assert states(app) == {"a": "failed", "b": "done"}


def test_many_workers_share_the_work_and_do_each_job_once(app: Flask, done: Done) -> None:
    for number in range(60):
        promised(app, "note", f"{number}", name=f"{number}")

    def drain() -> None:
        while jobs.work_once(done.registry, batch=3):
            pass

    assert raised(at_once(app, [drain] * 6)) == []
    assert sorted(done.names, key=int) == [str(number) for number in range(60)]
    assert set(states(app).values()) == {"done"}


def test_promises_of_many_for_one_key_are_one_job(app: Flask, done: Done) -> None:
    for round in range(10):

        def promise(round: int = round) -> bool:
            with transaction() as session:
                return jobs.promise(session, "note", {"name": str(round)}, key=f"{round}")

        outcomes = at_once(app, [promise] * 6)
        assert sorted(map(str, outcomes)) == ["False"] * 5 + ["True"]


def test_a_lease_that_ran_out_is_taken_by_the_next_and_the_first_overwrites_nothing(
    app: Flask, done: Done
) -> None:
    """The slow worker comes back after another has finished its job: with a failure of its own."""
    begun, taken_over = threading.Event(), threading.Event()

    def slow(args: Args) -> None:
        begun.set()
        assert taken_over.wait(30)
        raise RuntimeError("and it failed, too")

    promised(app, "note", "a", name="a")

    def first() -> None:
        jobs.work_once({"note": slow})

    def second() -> None:
        assert begun.wait(30)
        assert jobs.work_once(done.registry) == 0, "the lease holds"
        due_now(app, "a")
        assert jobs.work_once(done.registry) == 1
        taken_over.set()

    assert raised(at_once(app, [first, second])) == []
    assert done.names == ["a"]
    assert states(app) == {"a": "done"}
    assert (row(app, "a")["attempts"], row(app, "a")["last_error"]) == (2, None)


def test_a_batch_that_takes_longer_than_its_lease_gives_the_rest_to_others(
    app: Flask, done: Done
) -> None:
    """The first job of a batch is slow. Meanwhile the second one's lease ends and another worker
    does it; the first worker notices before it starts it."""
    begun, taken_over = threading.Event(), threading.Event()
    twice: list[str] = []

    def slow(args: Args) -> None:
        twice.append(args["name"])
        if args["name"] == "1":
            begun.set()
            assert taken_over.wait(30)

    for name in ("1", "2"):
        promised(app, "note", name, name=name, run_at=utcnow() - timedelta(hours=5 - int(name)))

    def first() -> None:
        jobs.work_once({"note": slow}, lease_seconds=0.001)

    def second() -> None:
        assert begun.wait(30)
        due_now(app, "2")
        with transaction() as session:  # "1" stays with the first worker
            session.execute(
                db.text("UPDATE jobs SET locked_until = '2099-01-01 00:00:00.000000+00:00'"
                        " WHERE key = '1'")
            )  # fmt: skip
        assert jobs.work_once(done.registry) == 1
        taken_over.set()

    assert raised(at_once(app, [first, second])) == []
    assert (twice, done.names) == (["1"], ["2"])


def test_a_stop_finishes_the_job_in_hand_and_hands_the_others_back(app: Flask) -> None:
    names: list[str] = []
    registry = {"note": lambda args: names.append(args["name"])}
    for number in range(5):
        promised(app, "note", f"{number}", name=f"{number}")
    assert works(app, registry, stopping=lambda: len(names) >= 2) == 2
    assert len(names) == 2
    assert sorted(states(app).values()) == ["done", "done", "waiting", "waiting", "waiting"]
    assert {row(app, name)["attempts"] for name in "01234"} == {0, 1}
    works(app, registry)
    assert sorted(names) == list("01234")


def test_times_of_the_queue_are_the_databases_and_compare_with_stored_ones(app: Flask) -> None:
    """Leases and due times are written and compared by SQL, never by a machine's own clock."""
    with app.app_context():
        session = db.session()
        now, later = session.execute(db.select(clock(session), clock(session, 90))).one()
        stored = session.execute(db.select(cast(clock(session), db.String))).scalar_one()
    assert (now.tzinfo, later - now) == (UTC, timedelta(seconds=90))
    assert abs(utcnow() - now) < timedelta(minutes=1)
    if books.is_sqlite(app):
        assert len(stored) == len(utc_text(now)) and stored[-6:] == "+00:00", "sorts as stored ones"


def test_a_lease_ends_when_it_says(app: Flask) -> None:
    promised(app, "peek", "a")
    seen: list[timedelta] = []

    def peek(_args: Args) -> None:
        with db.engine.connect() as connection:
            query = db.select(jobs.Job.locked_until)
            seen.append(connection.execute(query).scalar_one() - utcnow())

    works(app, {"peek": peek}, lease_seconds=300)
    assert timedelta(seconds=290) < seen[0] <= timedelta(seconds=300)


def test_old_jobs_are_pruned_and_open_ones_never(app: Flask, done: Done) -> None:
    for key in ("old", "new", "run:x:old", "run:x:new", "open"):
        promised(app, "note", key, name=key)
    days = {"old": 91, "new": 89, "run:x:old": 3, "run:x:new": 1}
    with app.app_context(), transaction() as session:
        for key, age in days.items():
            session.get_one(jobs.Job, key).done_at = utcnow() - timedelta(days=age)
    with app.app_context(), transaction() as session:
        assert jobs.prune(session) == 2
    assert set(states(app)) == {"new", "run:x:new", "open"}


def test_a_schedules_period_runs_once_however_many_workers_plan_it(app: Flask, done: Done) -> None:
    schedule = (jobs.Scheduled("note", timedelta(hours=1), lambda _args: None),)
    now = utcnow()

    def plan() -> int:
        with transaction() as session:
            return jobs.plan(session, schedule, now)

    assert sorted(map(str, at_once(app, [plan] * 6))) == ["0"] * 5 + ["1"]
    with app.app_context(), transaction() as session:
        assert jobs.plan(session, schedule, now + timedelta(hours=1)) == 1
        assert jobs.plan(session, schedule, now + timedelta(days=9)) == 1, "no pile after a stop"
    assert len(states(app)) == 3
    assert all(key.startswith("run:note:20") and key.endswith(":00:00Z") for key in states(app))


def test_a_worker_plans_and_does_what_the_schedule_says(app: Flask) -> None:
    runs: list[object] = []
    schedule = (jobs.Scheduled("sweep", timedelta(days=1), runs.append),)
    with app.app_context():
        for _ in range(2):
            jobs.Worker({"sweep": runs.append}, schedule).drain()
    assert runs == [{}]


def test_arguments_come_back_as_they_were_given(app: Flask) -> None:
    seen: list[Args] = []
    args = {"text": "a\"b'c\\ é", "list": [1, 2], "none": None, "nested": {"true": True}}
    promised(app, "note", "a", **args)
    works(app, {"note": partial(list.append, seen)})
    assert seen == [args]
