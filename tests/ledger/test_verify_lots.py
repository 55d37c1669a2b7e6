"""Whatever is planted in the lots, `verify` finds it and names the wallet; nothing else."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront import ledger
from storefront.db import db, transaction
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.support.lots import FIRST_OF_JANUARY

Plant = Callable[[Flask, str], None]


def customers_with_lots(app: Flask) -> list[Customer]:
    customers = [a_user(app) for _ in range(3)]
    with app.app_context(), transaction() as session:
        for user in customers:
            name, end = user.id, FIRST_OF_JANUARY
            ledger.transfer(session, Order(f"g {name}", "plan_grant", name, 50, expires_at=end))
            ledger.transfer(session, Order(f"out {name}", "spend", name, 20))
            ledger.transfer(session, Order(f"h {name}", "plan_grant", name, 9, expires_at=end))
            ledger.transfer(session, Order(f"in {name}", "top_up", name, 5))
    return customers


def lift_append_only(app: Flask) -> None:
    if books.is_sqlite(app):
        names = ("ledger_lot_uses_no_update", "ledger_lot_uses_no_delete")
        books.execute(app, *(f"DROP TRIGGER {name}" for name in names))
    else:
        books.execute(app, "DROP TRIGGER ledger_lot_uses_no_change ON ledger_lot_uses")


def lower_a_remainder(app: Flask, user: str) -> None:
    books.execute(app, "UPDATE ledger_lots SET remaining = 29 WHERE id = :id", id=f"g {user}")


def raise_a_remainder(app: Flask, user: str) -> None:
    books.execute(app, "UPDATE ledger_lots SET remaining = 50 WHERE id = :id", id=f"g {user}")


def forget_a_use(app: Flask, user: str) -> None:
    lift_append_only(app)
    books.execute(app, "DELETE FROM ledger_lot_uses WHERE lot_id = :id", id=f"g {user}")


def use_more_than_was_moved(app: Flask, user: str) -> None:
    lift_append_only(app)
    books.execute(
        app,
        "UPDATE ledger_lot_uses SET credits = 21 WHERE lot_id = :id",
        "UPDATE ledger_lots SET remaining = 29 WHERE id = :id",
        id=f"g {user}",
    )


def lift_the_guard_of_lots(app: Flask) -> None:
    table = "" if books.is_sqlite(app) else " ON ledger_lots"
    books.execute(app, f"DROP TRIGGER ledger_lots_no_update{table}")


def make_a_lot_larger_than_its_grant(app: Flask, user: str) -> None:
    lift_the_guard_of_lots(app)
    books.execute(
        app, "UPDATE ledger_lots SET credits = 51, remaining = 31 WHERE id = :id", id=f"g {user}"
    )


def make_a_lot_of_a_purchase_that_never_expires(app: Flask, user: str) -> None:
    books.execute(
        app,
        "INSERT INTO ledger_lots (id, wallet, credits, remaining, expires_at)"
        " VALUES (:id, :wallet, 6, 6, '2031-01-01 00:00:00.000000+00:00')",
        id=f"in {user}",
        wallet=f"wallet:{user}",
    )


PLANTS = [
    lower_a_remainder,
    raise_a_remainder,
    forget_a_use,
    use_more_than_was_moved,
    make_a_lot_larger_than_its_grant,
    make_a_lot_of_a_purchase_that_never_expires,
]


def test_clean_lots_are_clean(app: Flask) -> None:
    customers_with_lots(app)
    with app.app_context():
        assert ledger.verify(db.session()) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_tampering_is_found_and_exactly_its_wallet_named(app: Flask, plant: Plant) -> None:
    _, victim, _ = customers_with_lots(app)
    plant(app, victim.id)
    result = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert result.exit_code == 1
    named = {line.split(": ")[0] for line in result.output.splitlines()}
    assert named == {ledger.wallet_id(victim.id)}, result.output


def test_a_use_of_anothers_lot_names_the_wallet_that_took_it(app: Flask) -> None:
    thief, owner, _ = customers_with_lots(app)
    books.execute(
        app,
        "INSERT INTO ledger_lot_uses (transfer_id, lot_id, credits) VALUES (:transfer, :lot, 9)",
        transfer=f"out {thief.id}",
        lot=f"h {owner.id}",
    )
    with app.app_context():
        found = ledger.verify(db.session())
    assert any(it.account == ledger.wallet_id(thief.id) and owner.id in it.finding for it in found)
