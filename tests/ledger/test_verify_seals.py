"""Whatever is changed behind the ledger's back, even so that every sum stays right, `verify` names
the first transfer that is not what was sealed; nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from storefront import ledger
from storefront.db import db, transaction, utcnow
from storefront.ledger import Order, seal_verification
from tests.support import books
from tests.support.builders import Customer, a_user

Plant = Callable[[Flask, str], None]
CHANGE = "UPDATE ledger_transfers SET {} WHERE id = :id"


def customers_with_seals(app: Flask) -> list[Customer]:
    """Three customers with five sealed transfers each, `<n> of <id>`, and a young one."""
    customers = [a_user(app) for _ in range(3)]
    with app.app_context():
        with transaction() as session:
            for user in customers:
                for n in (1, 2, 3, 4, 5):
                    code = "spend" if n == 3 else "top_up"
                    ledger.transfer(session, Order(f"{n} of {user.id}", code, user.id, 10))
            ledger.seal(session)
        with transaction() as session:
            for user in customers:
                ledger.transfer(session, Order(f"6 of {user.id}", "top_up", user.id, 10))
    return customers


def lift_append_only(app: Flask, table: str = "ledger_transfers") -> None:
    """What somebody with the database's password can do, and the ledger cannot prevent."""
    if books.is_sqlite(app):
        for what in ("update", "delete"):
            books.execute(app, f"DROP TRIGGER {table}_no_{what}")
    else:
        books.execute(app, f"DROP TRIGGER {table}_no_change ON {table}")


def changes(app: Flask, user: str, *statements: str, number: int) -> None:
    lift_append_only(app)
    books.execute(app, *statements, id=f"{number} of {user}", wallet=f"wallet:{user}")


def another_time(app: Flask, user: str) -> None:
    earlier = CHANGE.format("happened_at = '2027-01-01 00:00:00.000000+00:00'")
    changes(app, user, earlier, number=2)


def another_note(app: Flask, user: str) -> None:
    changes(app, user, CHANGE.format("note = 'a gift'"), number=2)


def another_code(app: Flask, user: str) -> None:
    changes(app, user, CHANGE.format("code = 'purchase'"), number=2)


def another_account(app: Flask, user: str) -> None:
    changes(app, user, CHANGE.format("source = 'granted'"), number=2)


def another_id(app: Flask, user: str) -> None:
    changes(app, user, CHANGE.format("id = '2 of another'"), number=2)


def more_credits_with_all_sums_made_right(app: Flask, user: str) -> None:
    changes(
        app,
        user,
        CHANGE.format("credits = credits + 7"),
        "UPDATE ledger_transfers SET balance_after = balance_after + 7"
        " WHERE wallet = :wallet AND wallet_version >= 2",
        "UPDATE ledger_accounts SET balance = balance + 7 WHERE id = :wallet",
        number=2,
    )


def two_in_each_others_place(app: Flask, user: str) -> None:
    """Both are of 10 credits: no sum tells."""
    place = "UPDATE ledger_transfers SET wallet_version = {} WHERE id = '{} of {}'"
    order = ((100, 4), (4, 5), (5, 4))
    running = "UPDATE ledger_transfers SET balance_after = wallet_version * 10 - 20"
    changes(
        app,
        user,
        *(place.format(version, number, user) for version, number in order),
        f"{running} WHERE wallet = :wallet AND wallet_version IN (4, 5)",
        number=4,
    )


def removed_with_all_sums_made_right(app: Flask, user: str) -> None:
    """The oldest goes, all others move up."""
    up = "UPDATE ledger_transfers SET wallet_version = {}, balance_after = {} WHERE id = '{} of {}'"
    moved = ((1, 10, 2), (2, 0, 3), (3, 10, 4), (4, 20, 5), (5, 30, 6))
    changes(
        app,
        user,
        "DELETE FROM ledger_transfers WHERE id = :id",
        *(up.format(version, balance, number, user) for version, balance, number in moved),
        "UPDATE ledger_accounts SET version = 5, balance = 30 WHERE id = :wallet",
        number=1,
    )


def the_newest_two_removed_with_all_sums_made_right(app: Flask, user: str) -> None:
    changes(
        app,
        user,
        "DELETE FROM ledger_transfers WHERE wallet = :wallet AND wallet_version > 4",
        "UPDATE ledger_accounts SET version = 4, balance = 20 WHERE id = :wallet",
        number=5,
    )


def put_in_with_all_sums_made_right(app: Flask, user: str) -> None:
    later = "UPDATE ledger_transfers SET wallet_version = wallet_version {} WHERE wallet = :wallet"
    changes(
        app,
        user,
        later.format("+ 100") + " AND wallet_version > 2",
        later.format("- 99") + " AND wallet_version > 100",
        "UPDATE ledger_transfers SET balance_after = balance_after + 10"
        " WHERE wallet = :wallet AND wallet_version > 3",
        "INSERT INTO ledger_transfers SELECT 'put in', code, source, target, credits, wallet, 3,"
        " balance_after + 10, happened_at, created_at, payment_id, note"
        " FROM ledger_transfers WHERE id = :id",
        "UPDATE ledger_accounts SET version = version + 1, balance = balance + 10"
        " WHERE id = :wallet",
        number=2,
    )


def a_seal_of_its_own(app: Flask, user: str) -> None:
    lift_append_only(app, "ledger_seals")
    another = "UPDATE ledger_seals SET hash = 'other' WHERE transfer_id = :id"
    books.execute(app, another, id=f"2 of {user}")


def a_seal_taken_away(app: Flask, user: str) -> None:
    lift_append_only(app, "ledger_seals")
    books.execute(app, "DELETE FROM ledger_seals WHERE transfer_id = :id", id=f"2 of {user}")


def handed_to_another_customer(app: Flask, user: str) -> None:
    """The newest sealed transfer is another's from now on."""
    other = a_user(app)
    books.execute(
        app,
        "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
        " VALUES (:id, 'wallet', :user, 20, 2)",
        id=f"wallet:{other.id}",
        user=other.id,
    )
    to_other = (
        "UPDATE ledger_transfers SET wallet = 'wallet:{0}', target = 'wallet:{0}',"
        " wallet_version = {1}, balance_after = {2} WHERE id = '{3} of {4}'"
    )
    changes(
        app,
        user,
        to_other.format(other.id, 1, 10, 5, user),
        to_other.format(other.id, 2, 20, 6, user),
        "UPDATE ledger_accounts SET version = 4, balance = 20 WHERE id = :wallet",
        number=5,
    )


PLANTS: list[tuple[Plant, str]] = [
    (another_time, "transfer 2 of {} (version 2) is not what was sealed"),
    (another_note, "transfer 2 of {} (version 2) is not what was sealed"),
    (another_code, "transfer 2 of {} (version 2) is not what was sealed"),
    (another_account, "transfer 2 of {} (version 2) is not what was sealed"),
    (another_id, "transfer 2 of {} was sealed as version 2; now it is 2 of another"),
    (
        more_credits_with_all_sums_made_right,
        "transfer 2 of {} (version 2) is not what was sealed",
    ),
    (two_in_each_others_place, "transfer 4 of {0} was sealed as version 4; now it is 5 of {0}"),
    (
        removed_with_all_sums_made_right,
        "transfer 1 of {0} was sealed as version 1; now it is 2 of {0}",
    ),
    (
        the_newest_two_removed_with_all_sums_made_right,
        "transfer 5 of {} (version 5) was sealed and is gone",
    ),
    (put_in_with_all_sums_made_right, "transfer 3 of {} was sealed as version 3; now it is put in"),
    (a_seal_of_its_own, "transfer 2 of {} (version 2) is not what was sealed"),
    (a_seal_taken_away, "transfer 2 of {} (version 2) has no seal, though later ones have"),
    (handed_to_another_customer, "transfer 5 of {} (version 5) was sealed and is gone"),
]


@pytest.mark.parametrize(("plant", "finding"), PLANTS, ids=[it.__name__ for it, _ in PLANTS])
def test_the_first_bad_transfer_of_the_wallet_is_named_and_nothing_else(
    app: Flask, plant: Plant, finding: str
) -> None:
    _, victim, _ = customers_with_seals(app)
    plant(app, victim.id)
    result = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert result.exit_code == 1
    expected = f"{ledger.wallet_id(victim.id)}: {finding.format(victim.id)}"
    assert result.output.splitlines() == [expected]


def test_a_plainly_deleted_transfer_is_named_among_what_does_not_add_up(app: Flask) -> None:
    _, victim, _ = customers_with_seals(app)
    changes(app, victim.id, "DELETE FROM ledger_transfers WHERE id = :id", number=4)
    with app.app_context():
        found = ledger.verify(db.session())
    assert {it.account for it in found} == {ledger.wallet_id(victim.id), "all accounts"}
    gone = f"transfer 4 of {victim.id} (version 4) was sealed and is gone"
    assert [it.finding for it in found if "sealed" in it.finding] == [gone]


def test_a_transfer_removed_with_its_seal_leaves_a_gap(app: Flask) -> None:
    _, victim, _ = customers_with_seals(app)
    changes(app, victim.id, "DELETE FROM ledger_transfers WHERE id = :id", number=4)
    lift_append_only(app, "ledger_seals")
    gone = "DELETE FROM ledger_seals WHERE transfer_id = :id"
    books.execute(app, gone, id=f"4 of {victim.id}")
    with app.app_context():
        found = [it.finding for it in ledger.verify(db.session())]
    assert "version 4 is missing; the next one is 5" in found


def test_clean_books_with_young_transfers_are_clean(app: Flask) -> None:
    customers_with_seals(app)
    books.assert_clean(app)


def test_what_waits_for_its_seal_for_more_than_an_hour_is_told(app: Flask) -> None:
    """Of each wallet the oldest, and nothing once a worker has been there."""
    customers = customers_with_seals(app)
    later = utcnow() + timedelta(minutes=61)
    with app.app_context():
        session = db.session()
        assert ledger.verify(session, later - timedelta(minutes=2)) == []
        found = {it.account: it.finding for it in ledger.verify(session, later)}
        assert found == {
            ledger.wallet_id(user.id): f"transfer 6 of {user.id} (version 6) is not sealed for"
            " over an hour; is a worker running?"
            for user in customers
        }
        with transaction() as session:
            ledger.seal(session)
        assert ledger.verify(db.session(), later) == []


def test_a_change_is_found_also_after_another_sealing(app: Flask) -> None:
    """A worker goes on from the stored seal: it neither heals nor spreads the break."""
    _, victim, _ = customers_with_seals(app)
    another_note(app, victim.id)
    with app.app_context(), transaction() as session:
        assert ledger.seal(session) == 3
    with app.app_context():
        (found,) = ledger.verify(db.session())
    assert found.finding == f"transfer 2 of {victim.id} (version 2) is not what was sealed"


def test_more_rows_than_are_read_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_verification, "ROWS_AT_ONCE", 50)
    ada, bob = a_user(app), a_user(app)
    with app.app_context(), transaction() as session:
        for user in (ada, bob):
            orders = [Order(f"{n} of {user.id}", "top_up", user.id, 1) for n in range(1, 63)]
            ledger.transfer_all(session, orders)
        assert [ledger.seal(session, 100) for _ in range(2)] == [100, 24]
    books.assert_clean(app)
    changes(app, bob.id, CHANGE.format("note = 'x'"), number=62)
    with app.app_context():
        (found,) = ledger.verify(db.session())
    assert found.finding == f"transfer 62 of {bob.id} (version 62) is not what was sealed"
