"""Credits that expire: which are spent first, what a debt takes, and what happens at their end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from storefront import ledger
from storefront.db import db, transaction, utcnow
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.support.crashes import crash_everywhere
from tests.support.lots import FIRST_OF_JANUARY, assert_lots_add_up, remainders, uses
from tests.support.races import at_once, raised

DAY = timedelta(days=1)
JANUARY, FEBRUARY, MARCH = (FIRST_OF_JANUARY + month * 31 * DAY for month in (0, 1, 2))


@pytest.fixture(autouse=True)
def books_are_clean_afterwards(app: Flask) -> Iterator[None]:
    yield
    books.assert_clean(app)
    assert_lots_add_up(app)


def move(app: Flask, *orders: Order) -> None:
    with app.app_context(), transaction() as session:
        ledger.transfer_all(session, orders)


def grants(
    app: Flask, user: Customer, credits: int, expires_at: datetime | None, id: str
) -> None:  # fmt: skip
    move(app, Order(id, "plan_grant", user.id, credits, expires_at=expires_at))


def spends(
    app: Flask, user: Customer, credits: int, id: str = "spend", at: datetime = JANUARY - DAY
) -> None:
    move(app, Order(id, "spend", user.id, credits, happened_at=at))


def expire(app: Flask, now: datetime, limit: int = 100) -> int:
    with app.app_context(), transaction() as session:
        return ledger.expire_due(session, now, limit)


def test_a_spend_takes_the_lot_that_expires_first_and_lasting_credits_last(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("bought", "top_up", ada.id, 100))
    grants(app, ada, 50, MARCH, "march")
    grants(app, ada, 30, FEBRUARY, "february")
    spends(app, ada, 40)
    assert remainders(app, ada.id) == {"february": 0, "march": 40}
    assert uses(app) == {("spend", "february"): 30, ("spend", "march"): 10}
    spends(app, ada, 90, "again")
    assert remainders(app, ada.id) == {"february": 0, "march": 0}
    assert books.balance(app, ada.id) == 50


def test_what_expires_is_a_transfer_of_its_own_and_is_told_when_it_ended(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, FEBRUARY, "grant")
    spends(app, ada, 20)
    assert expire(app, FEBRUARY - timedelta(microseconds=1)) == 0
    assert expire(app, FEBRUARY) == 1
    assert books.balance(app, ada.id) == 0
    row = books.read(app).transfers["expiry:grant"]
    assert (row["code"], row["target"], row["credits"]) == ("expiry", "expired", 30)
    assert uses(app)["expiry:grant", "grant"] == 30
    with app.app_context():
        newest = ledger.history(db.session(), ada.id, limit=1)[0]
        assert (newest.id, newest.happened_at) == ("expiry:grant", FEBRUARY)


def test_expiring_twice_takes_once(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("bought", "top_up", ada.id, 100))
    grants(app, ada, 50, JANUARY, "grant")
    assert [expire(app, MARCH), expire(app, MARCH)] == [1, 0]
    assert books.balance(app, ada.id) == 100


def test_a_lot_that_was_used_up_leaves_nothing_to_expire(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, JANUARY, "grant")
    spends(app, ada, 50)
    assert expire(app, MARCH) == 0
    assert list(books.read(app).transfers) == ["grant", "spend"]


def test_expired_credits_cannot_be_spent_even_before_they_were_swept(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("bought", "top_up", ada.id, 10))
    grants(app, ada, 50, JANUARY, "grant")
    with pytest.raises(InsufficientCredits, match="11 credits; the balance is 10"):
        spends(app, ada, 11, at=JANUARY)
    assert books.balance(app, ada.id) == 60, "a refused spend moves nothing at all"
    spends(app, ada, 10, at=JANUARY)
    assert books.balance(app, ada.id) == 0
    assert "expiry:grant" in books.read(app).transfers
    assert expire(app, MARCH) == 0


def test_the_same_grant_again_is_one_lot(app: Flask) -> None:
    ada = a_user(app)
    for _ in range(3):
        grants(app, ada, 50, FEBRUARY, "grant")
        spends(app, ada, 20)
    assert remainders(app, ada.id) == {"grant": 30}
    assert books.balance(app, ada.id) == 30


@pytest.mark.parametrize("other", [MARCH, None], ids=["another date", "no date"])
def test_the_same_grant_with_another_expiry_is_a_conflict(
    app: Flask, other: datetime | None
) -> None:
    ada = a_user(app)
    grants(app, ada, 50, FEBRUARY, "grant")
    with pytest.raises(TransferConflict):
        grants(app, ada, 50, other, "grant")
    assert remainders(app, ada.id) == {"grant": 50}


def test_a_grant_repeated_after_its_expiry_gives_nothing_again(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, JANUARY, "grant")
    expire(app, JANUARY)
    grants(app, ada, 50, JANUARY, "grant")
    assert books.balance(app, ada.id) == 0


def test_a_grant_that_comes_after_its_end_expires_at_once(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, JANUARY, "late")
    assert expire(app, FEBRUARY) == 1
    assert books.balance(app, ada.id) == 0


def test_a_grant_pays_a_debt_first_and_the_lot_keeps_the_rest(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("back", "refund", ada.id, 30))
    grants(app, ada, 50, FEBRUARY, "grant")
    assert (books.balance(app, ada.id), remainders(app, ada.id)) == (20, {"grant": 20})
    assert uses(app) == {("grant", "grant"): 30}
    expire(app, FEBRUARY)
    assert books.balance(app, ada.id) == 0, "an expiry never makes a debt"


def test_a_grant_smaller_than_the_debt_leaves_an_empty_lot(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("back", "refund", ada.id, 70))
    grants(app, ada, 50, FEBRUARY, "grant")
    assert (books.balance(app, ada.id), remainders(app, ada.id)) == (-20, {"grant": 0})
    assert expire(app, MARCH) == 0


def test_taking_back_more_than_there_is_empties_every_lot(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("bought", "top_up", ada.id, 5))
    grants(app, ada, 50, FEBRUARY, "grant")
    move(app, Order("back", "refund", ada.id, 100, happened_at=JANUARY))
    assert (books.balance(app, ada.id), remainders(app, ada.id)) == (-45, {"grant": 0})


def test_only_credits_that_come_in_can_expire(app: Flask) -> None:
    ada = a_user(app)
    move(app, Order("bought", "top_up", ada.id, 100))
    with pytest.raises(AssertionError):
        move(app, Order("out", "spend", ada.id, 5, expires_at=MARCH))


def test_sweeping_is_done_in_bounded_batches(app: Flask) -> None:
    users = [a_user(app) for _ in range(5)]
    for user in users:
        grants(app, user, 10, JANUARY, f"grant of {user.id}")
    assert [expire(app, JANUARY, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [books.balance(app, user.id) for user in users] == [0] * 5


def test_two_sweepers_and_a_spender_at_once_take_each_credit_once(app: Flask) -> None:
    for round in range(8):
        users = [a_user(app) for _ in range(4)]
        for user in users:
            grants(app, user, 10, JANUARY, f"{round}:{user.id}")
            move(app, Order(f"{round}:lasting:{user.id}", "top_up", user.id, 10))

        def sweep() -> None:
            with transaction() as session:
                ledger.expire_due(session, JANUARY)

        def spend(user: Customer, round: int = round) -> None:
            with transaction() as session:
                order = Order(f"{round}:s:{user.id}", "spend", user.id, 10, happened_at=JANUARY)
                ledger.transfer(session, order)

        tasks = [sweep, sweep, sweep, *(partial(spend, user) for user in reversed(users))]
        assert raised(at_once(app, tasks)) == []
        expire(app, JANUARY)
        assert [books.balance(app, user.id) for user in users] == [0] * 4


def test_parallel_spends_of_a_lot_take_exactly_what_it_has(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 35, MARCH, "grant")

    def spend(number: int) -> bool:
        try:
            with transaction() as session:
                ledger.spend(session, ada.id, 10, id=f"s{number}")
        except InsufficientCredits:
            return False
        return True

    outcomes = at_once(app, [partial(spend, number) for number in range(8)])
    assert sorted(map(str, outcomes)) == ["False"] * 5 + ["True"] * 3
    assert remainders(app, ada.id) == {"grant": 5}


def test_a_customer_can_be_told_what_expires_next(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, MARCH, "later")
    grants(app, ada, 30, FEBRUARY, "sooner")
    with app.app_context():
        found = [(it.remaining, it.expires_at) for it in ledger.expiring(db.session(), ada.id)]
    assert found == [(30, FEBRUARY), (50, MARCH)]


@pytest.mark.parametrize(
    "change",
    ["UPDATE ledger_lot_uses SET credits = 1", "DELETE FROM ledger_lot_uses"],
    ids=["update", "delete"],
)
def test_the_database_refuses_to_change_what_was_used(app: Flask, change: str) -> None:
    ada = a_user(app)
    grants(app, ada, 50, MARCH, "grant")
    spends(app, ada, 20)
    with pytest.raises(DBAPIError, match="append-only"):
        books.execute(app, change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_lots SET credits = 60",
        "UPDATE ledger_lots SET expires_at = '2040-01-01 00:00:00.000000+00:00'",
        "UPDATE ledger_lots SET id = 'another'",
        "UPDATE ledger_lots SET wallet = 'sales'",
        "DELETE FROM ledger_lots",
    ],
)
def test_the_database_changes_nothing_of_a_lot_but_what_remains(app: Flask, change: str) -> None:
    ada = a_user(app)
    grants(app, ada, 50, MARCH, "grant")
    with pytest.raises(DBAPIError, match=r"only what remains|never removed"):
        books.execute(app, change)
    spends(app, ada, 20)
    assert remainders(app, ada.id) == {"grant": 30}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_accounts SET user_id = NULL WHERE kind = 'wallet'",
        "UPDATE ledger_accounts SET id = 'wallet:another' WHERE kind = 'wallet'",
        "UPDATE ledger_accounts SET kind = 'sales' WHERE id = 'expired'",
        "DELETE FROM ledger_accounts WHERE kind = 'wallet'",
        "DELETE FROM ledger_accounts WHERE id = 'expired'",
    ],
)
def test_the_database_keeps_every_account_what_and_whose_it_is(app: Flask, change: str) -> None:
    grants(app, a_user(app), 50, MARCH, "grant")
    with pytest.raises(DBAPIError, match=r"stays what and whose it is|are never removed"):
        books.execute(app, change)


def test_a_wallet_without_transfers_may_go_with_its_customer(app: Flask) -> None:
    ada = a_user(app)
    books.execute(
        app,
        "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
        " VALUES (:id, 'wallet', :user, 0, 0)",
        "DELETE FROM ledger_accounts WHERE id = :id",
        "DELETE FROM users WHERE id = :user",
        id=f"wallet:{ada.id}",
        user=ada.id,
    )
    assert books.read(app).users == {}


def test_an_unsettled_expiry_is_found_an_hour_later(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 50, utcnow() + DAY, "grant")
    later = utcnow() + DAY
    with app.app_context():
        with transaction() as session:
            ledger.seal(session)
        session = db.session()
        assert ledger.verify(session, later + timedelta(minutes=50)) == []
        (found,) = ledger.verify(session, later + timedelta(minutes=70))
    assert found.account == ledger.wallet_id(ada.id)
    assert "lot grant still holds 50" in found.finding


def test_a_crash_anywhere_in_a_sweep_costs_nothing(database_url: str) -> None:
    assert crash_everywhere(database_url, "Expiring").violations == []
