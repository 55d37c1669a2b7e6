"""Reading the lots behind the ledger's back, and checking them by arithmetic of our own."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import text

from storefront.db import db
from tests.support import books
from tests.support.books import Row

FIRST_OF_JANUARY = datetime(2031, 1, 1, tzinfo=UTC)
"""Far enough ahead that nothing here is overdue by today's clock."""


def lots_of(app: Flask, user_id: str) -> list[Row]:
    """The customer's lots, by expiry."""
    mine = [row for row in _rows(app, "ledger_lots") if row["wallet"] == f"wallet:{user_id}"]
    return sorted(mine, key=lambda row: (row["expires_at"], row["id"]))


def remainders(app: Flask, user_id: str) -> dict[str, int]:
    return {row["id"]: row["remaining"] for row in lots_of(app, user_id)}


def uses(app: Flask) -> dict[tuple[str, str], int]:
    """(transfer, lot) -> credits."""
    found = _rows(app, "ledger_lot_uses")
    return {(row["transfer_id"], row["lot_id"]): row["credits"] for row in found}


def assert_lots_add_up(app: Flask) -> None:
    """What remains is what came less what was used, and no more than the wallet holds."""
    used: dict[str, int] = {}
    for (_, lot), credits in uses(app).items():
        used[lot] = used.get(lot, 0) + credits
    held: dict[str, int] = {}
    read = books.read(app)
    for row in _rows(app, "ledger_lots"):
        assert row["remaining"] == row["credits"] - used.get(row["id"], 0), row["id"]
        assert read.transfers[row["id"]]["credits"] == row["credits"]
        held[row["wallet"]] = held.get(row["wallet"], 0) + row["remaining"]
    for wallet, remaining in held.items():
        assert remaining <= max(0, read.wallets[wallet]["balance"]), wallet


def _rows(app: Flask, table: str) -> list[Row]:
    with app.app_context():
        return [dict(row) for row in db.session.execute(text(f"SELECT * FROM {table}")).mappings()]
