"""The worker compares each night, tells, and repairs nothing."""

import logging
from datetime import timedelta

import pytest

from storefront import jobs, reconciling, work
from storefront.db import db, utcnow
from storefront.reconciling import MINIMUM_AGE, Reconciliation
from storefront.work import reconciling as nightly
from tests.support import books
from tests.support.caught_up import catches_up, sells
from tests.support.promised import promised, row, states
from tests.support.served import ServedShop

RUN = f"{jobs.RUN_PREFIX}reconcile:tonight"


def runs(shop: ServedShop) -> list[Reconciliation]:
    with shop.app.app_context():
        return reconciling.latest(db.session(), 100)


def test_what_differs_is_logged_and_shown_with_the_schedule(
    deaf: ServedShop, caplog: pytest.LogCaptureFixture
) -> None:
    (missed,) = sells(deaf, 1)
    old = "2026-01-01 00:00:00.000000+00:00"
    books.execute(deaf.app, "UPDATE payments SET updated_at = :old", old=old)
    deaf.stripe.advance(MINIMUM_AGE.total_seconds() + 60)
    sells(deaf, 1)
    promised(deaf.app, "reconcile", RUN)
    with caplog.at_level(logging.INFO):
        deaf.work_once()
    assert "1 differences, 1 of them about money" in caplog.text
    (run,) = runs(deaf)
    assert (run.differences, run.remaining, run.moving, run.repaired) == (1, 1, 1, 0)
    assert run.since is not None
    assert timedelta(days=2, hours=23) < utcnow() - run.since < timedelta(days=3, hours=1)
    with deaf.app.app_context():
        entries = {it.name: it for it in work.schedule_state(db.session())}
    assert "flask reconcile shows them" in (entries["reconcile"].error or "")
    assert deaf.balance(missed) == 0
    assert states(deaf.app)[RUN] == "done"


def test_a_long_night_goes_on_behind_other_work(
    deaf: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sells(deaf, 1)
    catches_up(deaf.app)
    monkeypatch.setattr(nightly, "PATIENCE_SECONDS", -1)
    start = {"from": (utcnow() - timedelta(hours=6, minutes=50)).isoformat(), "hours": 4}
    promised(deaf.app, "reconcile", RUN, **start)
    deaf.work_once()
    latest, *earlier = found = runs(deaf)
    assert [it.until for it in found[:-1]] == [it.since for it in earlier], "one after the other"
    assert latest.until < found[-1].until, "backwards in time"
    hours = [round((it.until - (it.since or it.until)).total_seconds() / 3600) for it in found]
    assert hours == [1, 2, 4], "ever shorter"
    assert {it.differences for it in found} == {0}


def test_when_stripe_is_away_it_is_tried_again_later(deaf: ServedShop) -> None:
    deaf.stripe.control("faults", {"kind": "rate_limit", "path": "/v1/payment_intents"})
    promised(deaf.app, "reconcile", RUN)
    deaf.work_once()
    (run,) = runs(deaf)
    assert "in an hour" in (run.error or "")
    key = f"{jobs.RUN_PREFIX}reconcile:again:{run.id}"
    assert states(deaf.app)[key] == "waiting"
    assert '"tries": 2' in row(deaf.app, key)["args"]
