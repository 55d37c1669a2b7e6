"""Whatever is planted in the books, `verify` finds it and names the wallet; nothing else."""

import re
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from storefront import ledger
from storefront.db import transaction
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import Customer, a_user

Plant = Callable[[Flask, str], None]


def customers_with_credits(app: Flask, count: int = 3) -> list[Customer]:
    customers = [a_user(app) for _ in range(count)]
    with app.app_context(), transaction() as session:
        for user in customers:
            ledger.transfer(session, Order(f"in {user.id}", "top_up", user.id, 500))
            ledger.transfer(session, Order(f"out {user.id}", "spend", user.id, 200))
            ledger.transfer(session, Order(f"in again {user.id}", "top_up", user.id, 50))
    return customers


def verify(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["ledger", "verify"])


def accounts_named(output: str) -> set[str]:
    return set(re.findall(r"^(wallet:\w+): ", output, re.MULTILINE))


def lift_append_only(app: Flask) -> None:
    """What somebody with the database's password can do, and the ledger cannot prevent."""
    if books.is_sqlite(app):
        names = ("ledger_transfers_no_update", "ledger_transfers_no_delete")
        books.execute(app, *(f"DROP TRIGGER {name}" for name in names))
    else:
        books.execute(app, "DROP TRIGGER ledger_transfers_no_change ON ledger_transfers")


def raise_balance(app: Flask, wallet: str) -> None:
    books.execute(
        app, "UPDATE ledger_accounts SET balance = balance + 1 WHERE id = :wallet", wallet=wallet
    )


def forget_a_wallet_update(app: Flask, wallet: str) -> None:
    books.execute(
        app,
        "UPDATE ledger_accounts SET version = version - 1, balance = balance - 50"
        " WHERE id = :wallet",
        wallet=wallet,
    )


def raise_version(app: Flask, wallet: str) -> None:
    books.execute(
        app, "UPDATE ledger_accounts SET version = version + 1 WHERE id = :wallet", wallet=wallet
    )


def remove_newest_transfer(app: Flask, wallet: str) -> None:
    lift_append_only(app)
    books.execute(
        app,
        "DELETE FROM ledger_transfers WHERE wallet = :wallet AND wallet_version = 3",
        wallet=wallet,
    )


def remove_oldest_transfer(app: Flask, wallet: str) -> None:
    lift_append_only(app)
    books.execute(
        app,
        "DELETE FROM ledger_transfers WHERE wallet = :wallet AND wallet_version = 1",
        wallet=wallet,
    )


def change_two_transfers_so_that_the_sum_stays(app: Flask, wallet: str) -> None:
    lift_append_only(app)
    change = "UPDATE ledger_transfers SET credits = credits {} WHERE wallet = :wallet"
    books.execute(
        app,
        change.format("+ 7") + " AND wallet_version = 1",
        change.format("+ 7") + " AND wallet_version = 2",
        wallet=wallet,
    )


def change_a_running_balance(app: Flask, wallet: str) -> None:
    lift_append_only(app)
    books.execute(
        app,
        "UPDATE ledger_transfers SET balance_after = 1 WHERE wallet = :wallet"
        " AND wallet_version = 2",
        wallet=wallet,
    )


def swap_direction(app: Flask, wallet: str) -> None:
    lift_append_only(app)
    books.execute(
        app,
        "UPDATE ledger_transfers SET source = target, target = source WHERE wallet = :wallet"
        " AND wallet_version = 1",
        wallet=wallet,
    )


PLANTS = [
    raise_balance,
    forget_a_wallet_update,
    raise_version,
    remove_newest_transfer,
    remove_oldest_transfer,
    change_two_transfers_so_that_the_sum_stays,
    change_a_running_balance,
    swap_direction,
]


def test_clean_books_are_told_with_their_size(app: Flask) -> None:
    customers_with_credits(app)
    result = verify(app)
    assert result.exit_code == 0, result.output
    assert "3 wallets, 9 transfers, nothing differs" in result.output


def test_empty_books_are_clean(app: Flask) -> None:
    result = verify(app)
    assert (result.exit_code, "0 wallets, 0 transfers" in result.output) == (0, True)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_tampering_is_found_and_exactly_its_wallet_named(app: Flask, plant: Plant) -> None:
    _, victim, _ = customers_with_credits(app)
    plant(app, ledger.wallet_id(victim.id))
    result = verify(app)
    assert result.exit_code == 1
    assert accounts_named(result.output) == {ledger.wallet_id(victim.id)}, result.output


def test_every_tampered_wallet_is_named(app: Flask) -> None:
    first, _, third = customers_with_credits(app)
    raise_balance(app, ledger.wallet_id(first.id))
    raise_version(app, ledger.wallet_id(third.id))
    named = accounts_named(verify(app).output)
    assert named == {ledger.wallet_id(first.id), ledger.wallet_id(third.id)}
