"""What the worker does on schedule: catch up in portions, try again, prune."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront import catching_up, inbox, jobs, work
from storefront.db import db, transaction, utcnow
from storefront.jobs import Job
from storefront.web import current
from tests.support import books
from tests.support.builders import a_payment, deliver, paid
from tests.support.caught_up import balances, catches_up, is_busy, sells, walks, wanted
from tests.support.promised import promised
from tests.support.retried import received_at
from tests.support.served import ServedShop
from tests.webhooks.test_failures import sabotaged


def does(shop: ServedShop, name: str) -> None:
    """One run of an entry of the schedule."""
    with shop.app.app_context():
        work.registry(current.work_context())[name]({})


def test_the_schedule_looks_after_events(deaf: ServedShop) -> None:
    intervals = {each.name: each.interval for each in work.SCHEDULE}
    assert intervals["catch_up"] == timedelta(minutes=10)
    assert intervals["retry_events"] <= timedelta(minutes=1)
    assert "prune_events" in intervals


def test_a_worker_that_starts_catches_up_although_the_periods_run_was_done(
    deaf: ServedShop,
) -> None:
    runner = deaf.app.test_cli_runner()
    assert runner.invoke(args=["worker", "--once"]).exit_code == 0
    buyers = sells(deaf, 2)
    with deaf.app.app_context(), transaction() as session:
        starts = Job.key.startswith("run:catch_up:start:")
        for job in session.scalars(select(Job).where(starts)):
            session.delete(job)  # as if this second were over
    assert runner.invoke(args=["worker", "--once"]).exit_code == 0
    assert balances(deaf, buyers) == [1000, 1000]


def test_a_catch_up_that_takes_long_is_done_in_portions(
    deaf: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each portion promises the next, behind other work."""
    is_busy(deaf.stripe, 150)
    (buyer,) = sells(deaf, 1)
    deaf.stripe.advance(300)
    is_busy(deaf.stripe, 1)
    monkeypatch.setattr(work.events, "PATIENCE_SECONDS", 0)
    does(deaf, "catch_up")
    with deaf.app.app_context():
        keys = db.session.scalars(select(Job.key).where(Job.kind == "catch_up")).all()
    assert len(keys) == 1
    assert keys[0].startswith("run:catch_up:after:")
    deaf.work_once()
    assert {it["id"] for it in wanted(deaf.stripe)} == set(books.read(deaf.app).events)
    assert deaf.balance(buyer) == 1000


def test_when_stripe_does_not_answer_the_job_is_done_and_the_next_run_goes_on(
    deaf: ServedShop,
) -> None:
    (buyer,) = sells(deaf, 1)
    deaf.stripe.control("faults", {"path": "/v1/events", "kind": "status", "status": 503})
    promised(deaf.app, "catch_up", "a")
    deaf.work_once()
    with deaf.app.app_context():
        assert db.session.get_one(Job, "a").state(utcnow()) == "done"
        latest = catching_up.latest(db.session())
        assert latest is not None and latest.error and not latest.complete
    deaf.stripe.control("faults", method="DELETE")
    does(deaf, "catch_up")
    assert deaf.balance(buyer) == 1000


def test_the_worker_tries_again_what_failed(deaf: ServedShop) -> None:
    purchase = a_payment(deaf.app)
    with sabotaged(deaf.app, "payments", "UPDATE"):
        deliver(deaf.app.test_client(), paid(purchase))
    books.execute(deaf.app, "UPDATE stripe_events SET next_try_at = NULL")
    does(deaf, "retry_events")
    assert books.balance(deaf.app, purchase.customer.id) == 1000


def test_pruning_deletes_what_is_old_and_settled_and_every_replay_changes_nothing(
    deaf: ServedShop,
) -> None:
    """All that was deleted comes once more: the ledger's keys keep each effect once."""
    buyers = sells(deaf, 3)
    catches_up(deaf.app)
    events = [it for it in wanted(deaf.stripe) if it["id"] in books.read(deaf.app).events]
    before = books.read(deaf.app)
    received_at(deaf.app, utcnow() - timedelta(days=91))
    does(deaf, "prune_events")
    assert books.read(deaf.app).events == {}
    for event in events:
        assert deliver(deaf.app.test_client(), event).status_code == 200
    after = books.read(deaf.app)
    assert set(after.events) == set(before.events)
    assert (after.transfers, after.wallets, after.payments) == (
        before.transfers,
        before.wallets,
        before.payments,
    )
    assert balances(deaf, buyers) == [1000] * 3
    books.assert_clean(deaf.app)


def test_pruning_keeps_what_is_young_what_failed_and_what_is_parked(deaf: ServedShop) -> None:
    client = deaf.app.test_client()
    failed, parked, young = a_payment(deaf.app), a_payment(deaf.app), a_payment(deaf.app)
    with sabotaged(deaf.app, "payments", "UPDATE"):
        deliver(client, paid(failed))
    contradicting = paid(parked)
    contradicting["data"]["object"]["amount_received"] = 1
    deliver(client, contradicting)
    old = paid(a_payment(deaf.app))
    deliver(client, old)
    received_at(deaf.app, utcnow() - timedelta(days=400))
    deliver(client, paid(young))
    does(deaf, "prune_events")
    left = books.read(deaf.app).events
    assert old["id"] not in left
    assert sorted(row["state"] for row in left.values()) == ["failed", "handled", "parked"]


def test_an_event_that_was_settled_lately_stays_although_it_came_long_ago(
    deaf: ServedShop,
) -> None:
    event = paid(a_payment(deaf.app))
    deliver(deaf.app.test_client(), event)
    received_at(deaf.app, utcnow() - timedelta(days=400))
    with deaf.app.app_context(), transaction() as session:
        session.get_one(inbox.StripeEvent, event["id"]).handled_at = utcnow()
    does(deaf, "prune_events")
    assert event["id"] in books.read(deaf.app).events


def test_results_of_old_catch_ups_and_walks_that_nobody_goes_are_pruned(deaf: ServedShop) -> None:
    catches_up(deaf.app)
    with deaf.app.app_context(), transaction() as session:
        long_ago = utcnow() - timedelta(days=200)
        session.add(catching_up.EventWalk(types="a.type.of.yore", covered_until=long_ago))
        session.add(catching_up.CatchUp(id="catch_up_of_yore", started_at=long_ago))
    kept = {walk["types"] for walk in walks(deaf.app)} - {"a.type.of.yore"}
    does(deaf, "prune_events")
    assert {walk["types"] for walk in walks(deaf.app)} == kept
    with deaf.app.app_context():
        assert db.session.get(catching_up.CatchUp, "catch_up_of_yore") is None
        assert catching_up.latest(db.session()) is not None


def test_runs_of_the_schedule_are_named_so_that_they_are_pruned(deaf: ServedShop) -> None:
    with deaf.app.app_context():
        for _ in range(2):
            work.catch_up_at_start()
        keys = db.session.scalars(select(Job.key)).all()
    assert len(keys) == 2, "the period's run, and one more for the second worker"
    assert all(key.startswith(jobs.RUN_PREFIX) for key in keys)
