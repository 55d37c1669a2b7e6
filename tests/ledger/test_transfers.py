"""The ledger's verbs and what the database itself refuses."""

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from storefront import ledger
from storefront.db import MAX_WHOLE, db, transaction
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import Customer, a_user


def top_up(app: Flask, customer: Customer, credits: int, id: str = "top-up") -> None:
    with app.app_context(), transaction() as session:
        ledger.transfer(session, Order(id, "top_up", customer.id, credits))


def spend(app: Flask, customer: Customer, credits: int, id: str = "spend") -> None:
    with app.app_context(), transaction() as session:
        ledger.spend(session, customer.id, credits, id=id)


def test_a_new_customer_has_no_credits_and_no_history(app: Flask) -> None:
    customer = a_user(app)
    with app.app_context():
        assert ledger.balance(db.session(), customer.id) == 0
        assert ledger.history(db.session(), customer.id) == []


def test_the_same_order_twice_is_one_transfer(app: Flask) -> None:
    customer = a_user(app)
    for _ in range(2):
        top_up(app, customer, 500)
    assert books.balance(app, customer.id) == 500
    assert list(books.read(app).transfers) == ["top-up"]


@pytest.mark.parametrize(
    "other",
    [
        {"credits": 501},
        {"code": "spend"},
        {"note": "another reason"},
        {"user": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_id_with_other_content_is_refused(app: Flask, other: dict[str, object]) -> None:
    ada, bob = a_user(app), a_user(app)
    top_up(app, ada, 500)
    order = {"id": "top-up", "code": "top_up", "user_id": ada.id, "credits": 500} | other
    if order.pop("user", None):
        order["user_id"] = bob.id
    before = books.read(app).transfers
    with app.app_context(), pytest.raises(TransferConflict), transaction() as session:
        ledger.transfer(session, Order(**order))  # type: ignore[arg-type]
    assert books.read(app).transfers == before
    assert (books.balance(app, ada.id), books.balance(app, bob.id)) == (500, 0)


def test_a_spend_beyond_the_balance_moves_nothing(app: Flask) -> None:
    customer = a_user(app)
    top_up(app, customer, 500)
    with pytest.raises(InsufficientCredits, match="501 credits; the balance is 500"):
        spend(app, customer, 501)
    spend(app, customer, 500)
    assert books.balance(app, customer.id) == 0
    books.assert_clean(app)


def test_of_several_transfers_all_are_made_or_none(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    orders = [Order("a", "top_up", ada.id, 5), Order("b", "spend", bob.id, 1)]
    with app.app_context(), pytest.raises(InsufficientCredits), transaction() as session:
        ledger.transfer_all(session, orders)
    assert books.read(app).transfers == {}
    assert books.balance(app, ada.id) == 0


def test_transfers_of_one_wallet_in_one_call_follow_each_other(app: Flask) -> None:
    customer = a_user(app)
    orders = [Order("in", "top_up", customer.id, 5), Order("out", "spend", customer.id, 3)]
    with app.app_context(), transaction() as session:
        made = ledger.transfer_all(session, orders)
        assert [(row.wallet_version, row.balance_after) for row in made] == [(1, 5), (2, 2)]
    books.assert_clean(app)


@pytest.mark.parametrize("credits", [0, -1, True, 1.0, "1", MAX_WHOLE + 1])
def test_credits_are_positive_integers_or_it_is_a_mistake_of_ours(
    app: Flask, credits: object
) -> None:
    customer = a_user(app)
    with pytest.raises(AssertionError):
        top_up(app, customer, credits)  # type: ignore[arg-type]
    assert books.read(app).transfers == {}


def test_an_undeclared_movement_is_a_mistake_of_ours(app: Flask) -> None:
    customer = a_user(app)
    with app.app_context(), pytest.raises(AssertionError), transaction() as session:
        ledger.transfer(session, Order("id", "gift", customer.id, 5))


def test_credits_move_inside_a_transaction_only(app: Flask) -> None:
    customer = a_user(app)
    with app.app_context(), pytest.raises(AssertionError):
        ledger.transfer(db.session(), Order("id", "top_up", customer.id, 5))


def test_a_balance_at_the_edge_of_64_bits_holds_and_beyond_it_nothing_moves(app: Flask) -> None:
    customer = a_user(app)
    top_up(app, customer, MAX_WHOLE)
    with pytest.raises((DBAPIError, OverflowError)):
        top_up(app, customer, 1, id="one too many")
    assert books.balance(app, customer.id) == MAX_WHOLE
    spend(app, customer, MAX_WHOLE)
    books.assert_clean(app)


def test_history_is_paged_by_the_last_version_seen(app: Flask) -> None:
    customer = a_user(app)
    for number in range(1, 8):
        top_up(app, customer, number, id=f"t{number}")
    seen, before = [], None
    with app.app_context():
        while page := ledger.history(db.session(), customer.id, before=before, limit=3):
            seen += [row.id for row in page]
            before = page[-1].wallet_version
    assert seen == ["t7", "t6", "t5", "t4", "t3", "t2", "t1"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_transfers SET note = 'corrected'",
        "UPDATE ledger_transfers SET credits = credits + 1",
        "DELETE FROM ledger_transfers",
    ],
)
def test_the_database_refuses_to_change_transfers(app: Flask, statement: str) -> None:
    customer = a_user(app)
    top_up(app, customer, 500)
    before = books.read(app).transfers
    with pytest.raises(DBAPIError, match="append-only"):
        books.execute(app, statement)
    assert books.read(app).transfers == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_database_refuses_to_truncate_transfers(app: Flask) -> None:
    """SQLite has no TRUNCATE."""
    with pytest.raises(DBAPIError, match="append-only"):
        books.execute(app, "TRUNCATE ledger_transfers CASCADE")


ROW = (
    "INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,"
    " balance_after, happened_at, created_at, note) VALUES ('x', 'top_up', :source, :target,"
    " :credits, :wallet, 7, 5, '2026-11-20 00:00:00.000000+00:00',"
    " '2026-11-20 00:00:00.000000+00:00', '')"
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"credits": 0},
        {"credits": -5},
        {"source": "WALLET"},
        {"wallet": "sales", "source": "granted"},
        {"source": "nobody"},
        {"target": "nobody"},
    ],
    ids=str,
)
def test_the_database_refuses_transfers_that_cannot_be(
    app: Flask, wrong: dict[str, object]
) -> None:
    wallet = ledger.wallet_id(a_customer_with_credits(app).id)
    values = {"source": "sales", "target": wallet, "wallet": wallet, "credits": 5} | wrong
    values = {name: wallet if value == "WALLET" else value for name, value in values.items()}
    with pytest.raises(DBAPIError):
        books.execute(app, ROW, **values)
    books.assert_clean(app)


def a_customer_with_credits(app: Flask) -> Customer:
    customer = a_user(app)
    top_up(app, customer, 500, id=f"first of {customer.id}")
    return customer
