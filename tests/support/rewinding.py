"""Bringing a database back to an earlier moment: for trying many orders of the same events."""

from typing import Any

from flask import Flask
from sqlalchemy import Connection, insert, select, text

from storefront.db import Base, db

SQLITE_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


class Moment:
    """All rows as they are when this is made; `returns` puts them back."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.tables = Base.metadata.sorted_tables
        with app.app_context(), db.engine.connect() as connection:
            self.rows = {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in self.tables
            }

    def returns(self) -> None:
        with self.app.app_context():
            db.session.remove()
            with db.engine.begin() as connection:
                triggers = _triggers_off(connection)
                for table in reversed(self.tables):
                    connection.execute(table.delete())
                for table in self.tables:
                    if self.rows[table.name]:
                        connection.execute(insert(table), self.rows[table.name])
                for trigger in triggers:
                    connection.exec_driver_sql(trigger)


def _triggers_off(connection: Connection) -> list[str]:
    """The ledger is append-only, and so says the database; what brings its triggers back."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return []
    found: list[Any] = list(connection.execute(text(SQLITE_TRIGGERS)))
    for name, _ in found:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    return [sql for _, sql in found]
