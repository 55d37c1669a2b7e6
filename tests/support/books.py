"""Reading the database behind the shop's back: plain SQL, so that no code under test is asked
whether it did right."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import text

from storefront import ledger
from storefront.db import db

Row = dict[str, Any]
TIMES = ("created_at", "updated_at", "happened_at", "received_at", "handled_at")


@dataclass(frozen=True)
class Books:
    """Everything money touches, as it is stored."""

    users: dict[str, Row]
    payments: dict[str, Row]
    events: dict[str, Row]
    wallets: dict[str, Row]
    transfers: dict[str, Row]

    def balance(self, user_id: str) -> int:
        row = self.wallets.get(f"wallet:{user_id}")
        return row["balance"] if row else 0

    def transfers_of(self, user_id: str) -> list[Row]:
        mine = (row for row in self.transfers.values() if row["wallet"] == f"wallet:{user_id}")
        return sorted(mine, key=lambda row: row["wallet_version"])

    def event_states(self) -> dict[str, str]:
        return {id: row["state"] for id, row in self.events.items()}


def read(app: Flask) -> Books:
    with app.app_context():
        return Books(
            users=_rows("users"),
            payments=_rows("payments"),
            events=_rows("stripe_events"),
            wallets=_rows("ledger_accounts", "WHERE kind = 'wallet'"),
            transfers=_rows("ledger_transfers"),
        )


def balance(app: Flask, user_id: str) -> int:
    return read(app).balance(user_id)


def totals(app: Flask) -> dict[str, int]:
    """What every account holds, recomputed from nothing but sources and targets."""
    found: dict[str, int] = {}
    for row in read(app).transfers.values():
        found[row["source"]] = found.get(row["source"], 0) - row["credits"]
        found[row["target"]] = found.get(row["target"], 0) + row["credits"]
    return found


def assert_clean(app: Flask) -> None:
    """The books add up, by our own arithmetic and by the ledger's."""
    books, sums = read(app), totals(app)
    for account, row in books.wallets.items():
        assert row["balance"] == sums.get(account, 0), account
    assert sum(sums.values()) == 0
    with app.app_context():
        assert ledger.verify(db.session()) == []


def timeless(row: Row) -> Row:
    """A row without its times."""
    return {name: value for name, value in row.items() if name not in TIMES}


def execute(app: Flask, *statements: str, **values: Any) -> None:
    """Change the database as nobody should, or as an operator with SQL would."""
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def is_sqlite(app: Flask) -> bool:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite")


def _rows(table: str, where: str = "") -> dict[str, Row]:
    found = db.session.execute(text(f"SELECT * FROM {table} {where}"))
    return {row["id"]: dict(row) for row in found.mappings()}
