"""Many writers at once: nothing lost, nothing doubled, nobody deadlocked."""

import random
import uuid
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import event

from storefront import ledger
from storefront.db import db, transaction
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import a_user
from tests.support.races import at_once, raised
from tests.support.thoroughness import usually

WRITERS = 8
ROUNDS = usually(15, thorough=40)


def move(*orders: Order) -> None:
    with transaction() as session:
        ledger.transfer_all(session, orders)


def attempt(order: Order) -> bool:
    """True when the order was made, or had been made before."""
    try:
        move(order)
    except (InsufficientCredits, TransferConflict):
        return False
    return True


def test_of_a_hundred_parallel_spends_exactly_those_that_fit_succeed(app: Flask) -> None:
    customer, price, credits = a_user(app), 7, 250
    with app.app_context():
        move(Order("top-up", "top_up", customer.id, credits))

    def spends(writer: int) -> int:
        orders = [Order(f"{writer}:{n}", "spend", customer.id, price) for n in range(10)]
        return sum(attempt(order) for order in orders)

    outcomes = at_once(app, [partial(spends, writer) for writer in range(10)])
    assert raised(outcomes) == []
    assert sum(outcomes) == credits // price == 35  # type: ignore[arg-type]
    assert books.balance(app, customer.id) == credits % price
    books.assert_clean(app)


def test_the_same_order_from_many_writers_is_made_once(app: Flask) -> None:
    customer = a_user(app)
    for round in range(10):
        order = Order(f"round {round}", "top_up", customer.id, 5)
        assert raised(at_once(app, [partial(move, order)] * WRITERS)) == []
    assert books.balance(app, customer.id) == 50
    books.assert_clean(app)


def test_one_id_raced_for_by_two_wallets_is_one_transfer_and_a_conflict(app: Flask) -> None:
    for round in range(10):
        rivals = [a_user(app), a_user(app)]
        orders = [Order(f"round {round}", "top_up", rival.id, 5) for rival in rivals]
        outcomes = at_once(app, [partial(move, order) for order in orders])
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "NoneType",
            "TransferConflict",
        ], outcomes
        assert sum(books.balance(app, rival.id) for rival in rivals) == 5
    books.assert_clean(app)


@pytest.mark.parametrize("known", [True, False], ids=["known wallets", "new wallets"])
def test_wallets_named_in_opposite_order_do_not_deadlock(app: Flask, known: bool) -> None:
    users = [a_user(app) for _ in range(6)]
    if known:
        with app.app_context():
            move(*(Order(f"first of {user.id}", "top_up", user.id, 1) for user in users))

    def writes(writer: int) -> None:
        order = users if writer % 2 else users[::-1]
        for n in range(ROUNDS):
            pair = order[n % 5 : n % 5 + 2]
            move(*(Order(f"{writer}:{n}:{user.id}", "top_up", user.id, 1) for user in pair))

    outcomes = at_once(app, [partial(writes, writer) for writer in range(WRITERS)])
    assert raised(outcomes) == []
    expected = WRITERS * ROUNDS * 2 + (len(users) if known else 0)
    assert sum(books.balance(app, user.id) for user in users) == expected
    books.assert_clean(app)


def test_concurrent_writers_leave_what_an_oracle_adds_up(app: Flask) -> None:
    users = [a_user(app) for _ in range(4)]
    run = uuid.uuid4().hex

    def writes(seed: int) -> dict[str, tuple[str, int]]:
        """Every order that this writer saw succeed: id -> user and change."""
        chance, made = random.Random(seed), {}
        for _ in range(30):
            user, id = chance.choice(users), f"{run}:{chance.randrange(200)}"
            code = chance.choice(("top_up", "top_up", "spend"))
            # The content follows from the id and the user, so that writers repeat each other.
            credits = 1 + hash_of(id, user.id, code) % 50
            if attempt(Order(id, code, user.id, credits)):
                made[id] = (user.id, credits if code == "top_up" else -credits)
        return made

    outcomes = at_once(app, [partial(writes, seed) for seed in range(WRITERS)])
    assert raised(outcomes) == []
    oracle: dict[str, tuple[str, int]] = {}
    for made in outcomes:
        for id, content in made.items():  # type: ignore[union-attr]
            assert oracle.setdefault(id, content) == content, "two contents for one id succeeded"
    for user in users:
        expected = sum(change for owner, change in oracle.values() if owner == user.id)
        assert books.balance(app, user.id) == expected
    assert len(books.read(app).transfers) == len(oracle)
    books.assert_clean(app)


def hash_of(*parts: str) -> int:
    """The same in every process, unlike hash()."""
    return sum(ord(letter) * (n + 1) for n, letter in enumerate("|".join(parts)))


def test_wallets_are_opened_and_locked_in_sorted_order(app: Flask) -> None:
    """Read off the statements: within one process a set of names happens to have one order, so
    that no race would show it; between processes it does not."""
    users = [a_user(app) for _ in range(8)]
    opened: list[str] = []

    with app.app_context():
        engine = db.engine

        @event.listens_for(engine, "before_cursor_execute")
        def note(
            _c: object, _cursor: object, statement: str, parameters: object, *_: object
        ) -> None:
            if statement.startswith("INSERT INTO ledger_accounts"):
                opened.append(str(parameters))
            elif "FOR UPDATE" in statement:
                assert "ORDER BY ledger_accounts.id" in statement

        move(*(Order(f"of {user.id}", "top_up", user.id, 1) for user in reversed(users)))
    names = sorted(user.id for user in users)
    assert len(opened) == len(names)
    assert all(name in parameters for name, parameters in zip(names, opened, strict=True))
