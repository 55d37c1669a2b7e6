"""Sealing: every transfer once, in a chain, however many workers do it, and in bounded batches."""

import hashlib
import json
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storefront import ledger, work
from storefront.db import db, transaction
from storefront.ledger import Order
from storefront.web import current
from tests.support import books
from tests.support.builders import a_user
from tests.support.races import at_once, raised


def seal(app: Flask, limit: int = 1000) -> int:
    with app.app_context(), transaction() as session:
        return ledger.seal(session, limit)


def moves(app: Flask, user: str, *ids: str, **content: Any) -> None:
    with app.app_context(), transaction() as session:
        for id in ids:
            ledger.transfer(session, Order(id, "top_up", user, 5, **content))


def seals(app: Flask) -> dict[tuple[str, int], tuple[str, str]]:
    """(wallet, version) -> transfer and hash."""
    with app.app_context():
        rows = db.session.execute(text("SELECT * FROM ledger_seals")).mappings()
        return {
            (row["wallet"], row["wallet_version"]): (row["transfer_id"], row["hash"])
            for row in rows
        }


def test_each_transfer_is_sealed_once_in_its_wallets_order(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    moves(app, ada.id, "a1", "a2")
    moves(app, bob.id, "b1")
    assert [seal(app), seal(app)] == [3, 0]
    moves(app, ada.id, "a3")
    assert seal(app) == 1
    assert {at: transfer for at, (transfer, _) in seals(app).items()} == {
        (f"wallet:{ada.id}", 1): "a1",
        (f"wallet:{ada.id}", 2): "a2",
        (f"wallet:{ada.id}", 3): "a3",
        (f"wallet:{bob.id}", 1): "b1",
    }


def test_a_hash_is_what_the_documentation_says(app: Flask) -> None:
    """Computed here from plain rows and the words of docs/ledger.md alone."""
    ada = a_user(app)
    moves(app, ada.id, "a1", "a2", note='a "note" – ü')
    seal(app)
    before = ""
    for row in books.read(app).transfers_of(ada.id):
        times = [row[name] for name in ("happened_at", "created_at")]
        if not books.is_sqlite(app):
            times = [f"{time:%Y-%m-%d %H:%M:%S.%f}+00:00" for time in times]
        numbers = [row["credits"], row["balance_after"]]
        names = [row[name] for name in ("id", "code", "source", "target")]
        content = [before, row["wallet"], row["wallet_version"], *names, *numbers, *times]
        canonical = json.dumps(
            [*content, None, row["note"]], ensure_ascii=False, separators=(",", ":")
        )
        before = hashlib.sha256(canonical.encode()).hexdigest()
        assert seals(app)[row["wallet"], row["wallet_version"]] == (row["id"], before)


def test_batches_are_bounded_and_end_where_one_batch_would(app: Flask) -> None:
    users = [a_user(app) for _ in range(3)]
    for user in users:
        moves(app, user.id, *(f"{user.id}:{n}" for n in range(4)))
    assert [seal(app, 5) for _ in range(4)] == [5, 5, 2, 0]
    books.assert_clean(app)
    assert len(seals(app)) == 12


def test_workers_at_once_seal_each_transfer_once(app: Flask) -> None:
    users = [a_user(app) for _ in range(5)]
    for round in range(10):

        def move(user: str, round: int = round) -> None:
            with transaction() as session:
                ledger.transfer(session, Order(f"{round}:{user}", "top_up", user, 5))

        tasks = [partial(seal, app, limit) for limit in (1000, 1000, 3)]
        outcomes = at_once(app, [*tasks, *(partial(move, user.id) for user in users)])
        assert raised(outcomes) == []
    seal(app)
    assert len(seals(app)) == len(books.read(app).transfers) == 50
    books.assert_clean(app)


def test_the_schedule_seals_all_that_moved(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is bounded, and the next one goes on where it ended."""
    monkeypatch.setattr(work.upkeep, "SEALS_AT_ONCE", 2)
    monkeypatch.setattr(work.upkeep, "SEAL_BATCHES", 2)
    ada = a_user(app)
    moves(app, ada.id, *(f"a{n}" for n in range(7)))
    (entry,) = [each for each in work.SCHEDULE if each.name == "seal_ledger"]
    sealed = []
    for _ in range(3):
        with app.app_context():
            work.registry(current.work_context())[entry.name]({})
        sealed.append(len(seals(app)))
    assert sealed == [4, 7, 7]
    books.assert_clean(app)


def test_sealing_belongs_into_a_transaction(app: Flask) -> None:
    with app.app_context(), pytest.raises(AssertionError):
        ledger.seal(db.session())


@pytest.mark.parametrize(
    "change", ["UPDATE ledger_seals SET hash = ''", "DELETE FROM ledger_seals"]
)
def test_the_database_refuses_to_change_a_seal(app: Flask, change: str) -> None:
    moves(app, a_user(app).id, "a1")
    seal(app)
    with pytest.raises(DBAPIError, match="append-only"):
        books.execute(app, change)
