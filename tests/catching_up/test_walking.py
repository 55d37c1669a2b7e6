"""The cursor: how it moves, what it never passes, and what happens when it is of no use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storefront import catching_up, handlers
from storefront.db import db, utcnow
from storefront.errors import StripeUnavailable
from tests.support import books
from tests.support.caught_up import (
    KEY,
    balances,
    catches_up,
    counts,
    is_busy,
    sells,
    walks,
    wanted,
)
from tests.support.retried import Killed, deadly
from tests.support.served import ServedShop

A_WHILE = 300
"""Seconds after which events are settled."""


def remembers(shop: ServedShop, **columns: Any) -> None:
    """Change what is remembered of every walk; times become what the database stores."""
    kept = {
        name: it.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")
        if isinstance(it, datetime)
        else it
        for name, it in columns.items()
    }
    assignments = ", ".join(f"{name} = :{name}" for name in kept)
    books.execute(shop.app, f"UPDATE event_walks SET {assignments}", **kept)


def test_the_cursor_moves_to_what_is_settled_and_the_next_walk_begins_there(
    deaf: ServedShop,
) -> None:
    old = sells(deaf, 2)
    before = wanted(deaf.stripe)
    deaf.stripe.advance(A_WHILE)
    young = sells(deaf, 1)
    run = catches_up(deaf.app)
    assert run["missing"] == len(wanted(deaf.stripe))
    cursors = {walk["cursor"] for walk in walks(deaf.app)}
    assert before[-1]["id"] in cursors, "not one of the events that happened just now"
    after = len(wanted(deaf.stripe)) - len(before)
    again = catches_up(deaf.app)
    assert again["listed"] < run["listed"]
    assert again["missing"] == 0
    assert again["known"] >= after, "the young ones are read again"
    assert balances(deaf, [*old, *young]) == [1000] * 3


def test_many_pages_from_the_newest_to_the_oldest_and_then_onwards(deaf: ServedShop) -> None:
    is_busy(deaf.stripe, 130)
    (buyer,) = sells(deaf, 1)
    is_busy(deaf.stripe, 120)
    deaf.stripe.advance(A_WHILE)
    is_busy(deaf.stripe, 5)
    assert counts(catches_up(deaf.app)) == (
        len(wanted(deaf.stripe)),
        0,
        len(wanted(deaf.stripe)),
        0,
    )
    assert deaf.balance(buyer) == 1000
    before = len(wanted(deaf.stripe))
    is_busy(deaf.stripe, 110)
    (late,) = sells(deaf, 1)
    is_busy(deaf.stripe, 100)
    run = catches_up(deaf.app)
    assert run["missing"] == len(wanted(deaf.stripe)) - before
    assert run["listed"] < len(wanted(deaf.stripe)), "not everything was walked again"
    assert deaf.balance(late) == 1000


def test_a_first_walk_that_is_interrupted_goes_on_where_it_was(deaf: ServedShop) -> None:
    """Without patience each catch-up takes one page of what is left."""
    (buyer,) = sells(deaf, 1)
    is_busy(deaf.stripe, 230)
    deaf.stripe.advance(A_WHILE)
    is_busy(deaf.stripe, 3)
    runs = [catches_up(deaf.app, patience_seconds=0)]
    while not runs[-1]["complete"]:
        assert len(runs) < 20, "it comes to an end"
        sells(deaf, 1)  # and others happen meanwhile
        runs.append(catches_up(deaf.app, patience_seconds=0))
    assert len(runs) >= 3
    assert sum(run["missing"] for run in runs) == len(books.read(deaf.app).events)
    assert all(run["listed"] <= 200 for run in runs), "a page for each group of types"
    assert deaf.balance(buyer) == 1000
    last = catches_up(deaf.app)
    assert {it["id"] for it in wanted(deaf.stripe)} == set(books.read(deaf.app).events)
    assert last["complete"]


def test_a_long_walk_onwards_that_is_interrupted_goes_on_where_it_was(deaf: ServedShop) -> None:
    is_busy(deaf.stripe, 3)
    deaf.stripe.advance(A_WHILE)
    is_busy(deaf.stripe, 3)
    catches_up(deaf.app)
    is_busy(deaf.stripe, 220)
    deaf.stripe.advance(A_WHILE)
    is_busy(deaf.stripe, 2)
    first = catches_up(deaf.app, patience_seconds=0)
    assert (first["complete"], first["listed"]) == (False, 100)
    second = catches_up(deaf.app, patience_seconds=0)
    assert (second["known"], second["missing"]) == (0, 100)
    catches_up(deaf.app)
    assert {it["id"] for it in wanted(deaf.stripe)} == set(books.read(deaf.app).events)


def test_a_cursor_that_stripe_does_not_know_begins_anew_and_says_so(deaf: ServedShop) -> None:
    sells(deaf, 1)
    deaf.stripe.advance(A_WHILE)
    buyers = sells(deaf, 1)
    catches_up(deaf.app)
    remembers(deaf, cursor="evt_of_another_account")
    late = sells(deaf, 1)
    run = catches_up(deaf.app)
    assert "evt_of_another_account" in run["note"]
    assert "may be missing" in run["note"]
    assert balances(deaf, [*buyers, *late]) == [1000, 1000]
    assert catches_up(deaf.app)["note"] is None, "it is said once"
    assert "evt_of_another_account" not in {walk["cursor"] for walk in walks(deaf.app)}


def test_after_more_than_30_days_away_it_is_said_what_may_be_missing(deaf: ServedShop) -> None:
    sells(deaf, 1)
    deaf.stripe.advance(A_WHILE)
    sells(deaf, 1)
    catches_up(deaf.app)
    long_ago = utcnow() - timedelta(days=40)
    remembers(deaf, cursor_created=long_ago, covered_until=long_ago)
    (late,) = sells(deaf, 1)
    run = catches_up(deaf.app)
    edge = utcnow() - timedelta(days=30)
    assert f"{long_ago:%Y-%m-%d %H:%M} UTC" in run["note"]
    assert f"{edge:%Y-%m-%d}" in run["note"]
    assert run["complete"]
    assert deaf.balance(late) == 1000
    assert catches_up(deaf.app)["note"] is None


def test_a_quiet_month_is_no_gap(deaf: ServedShop) -> None:
    """The newest event is older than Stripe's list, and yet nothing was missed."""
    sells(deaf, 1)
    deaf.stripe.advance(A_WHILE)
    sells(deaf, 1)
    catches_up(deaf.app)
    remembers(deaf, cursor_created=utcnow() - timedelta(days=40))
    run = catches_up(deaf.app)
    assert (run["note"], run["missing"], run["complete"]) == (None, 0, True)


def test_since_walks_back_to_a_time_and_leaves_the_cursor_alone(deaf: ServedShop) -> None:
    (early,) = sells(deaf, 1)
    deaf.stripe.advance(2 * 24 * 3600)
    (late,) = sells(deaf, 1)
    two_days_later = utcnow() + timedelta(days=1)
    run = catches_up(deaf.app, since=two_days_later)
    assert balances(deaf, [early, late]) == [0, 1000]
    assert (run["known"], run["failed"], walks(deaf.app)) == (0, 0, [])
    catches_up(deaf.app)
    assert balances(deaf, [early, late]) == [1000, 1000]


def test_what_could_not_be_delivered_comes_first_and_is_counted_once(shop: ServedShop) -> None:
    shop.stripe.drain()
    shop.stripe.client().v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/nobody", "enabled_events": ["*"]}
    )
    buyers = sells(shop, 2)
    total = len(wanted(shop.stripe))
    shop.stripe.control("drain", {"seconds": 1})
    run = catches_up(shop.app, eager=True)
    assert run["listed"] == run["known"] + run["missing"] == total
    assert balances(shop, buyers) == [1000, 1000]
    books.assert_clean(shop.app)


def test_an_event_that_kills_its_process_holds_up_no_other(
    deaf: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the catch-up meet it again at the same place and die there for ever."""
    deaf.buys(deaf.a_buyer(), "usd_5", KEY, card="pm_card_visa_chargeDeclined")
    (healthy,) = sells(deaf, 1)
    monkeypatch.setitem(handlers.HANDLERS, "payment_intent.payment_failed", deadly)
    with pytest.raises(Killed):
        catches_up(deaf.app)
    run = catches_up(deaf.app)
    assert (run["complete"], run["failed"]) == (True, 1)
    assert deaf.balance(healthy) == 1000


def test_an_event_that_fails_is_counted_and_holds_up_no_other(deaf: ServedShop) -> None:
    (unlucky, healthy) = sells(deaf, 2)
    books.execute(deaf.app, "UPDATE payments SET amount_cents = 999 WHERE user_id = :id",
                  id=unlucky.id)  # fmt: skip
    run = catches_up(deaf.app)
    assert (run["complete"], run["failed"]) == (True, 1)
    assert balances(deaf, [unlucky, healthy]) == [0, 1000]
    assert catches_up(deaf.app)["failed"] == 1, "until a person looks"


def test_without_an_answer_nothing_moves_and_the_error_is_kept(deaf: ServedShop) -> None:
    sells(deaf, 1)
    deaf.stripe.advance(A_WHILE)
    (buyer,) = sells(deaf, 1)
    deaf.stripe.control("faults", {"path": "/v1/events", "kind": "status", "status": 503})
    with pytest.raises(StripeUnavailable):
        catches_up(deaf.app)
    assert {walk["cursor"] for walk in walks(deaf.app)} == {None}
    with deaf.app.app_context():
        latest = catching_up.latest(db.session())
        assert latest is not None and "does not answer" in (latest.error or "")
        assert not latest.complete
    deaf.stripe.control("faults", method="DELETE")
    assert catches_up(deaf.app)["complete"]
    assert deaf.balance(buyer) == 1000


def test_coverage_is_known_once_every_type_was_walked(deaf: ServedShop) -> None:
    with deaf.app.app_context():
        nothing = catching_up.coverage(db.session())
    assert (nothing.since, nothing.until, nothing.missing) == (None, None, 0)
    started = utcnow()
    sells(deaf, 1)
    run = catches_up(deaf.app)
    with deaf.app.app_context():
        covered = catching_up.coverage(db.session())
    assert covered.missing == run["missing"]
    assert covered.since is not None and covered.until is not None
    assert covered.since <= started - catching_up.RETENTION + timedelta(minutes=5)
    assert covered.until >= started
