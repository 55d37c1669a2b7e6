"""Changing the database behind the shop's back, as somebody with its password could: no trigger and
no foreign key is in the way; and putting it back as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from storefront.db import db
from tests.support import books

Rows = dict[str, tuple[str, list[Any]]]


def tamper(app: Flask, *statements: str) -> None:
    """Run these statements, and commit them."""
    with _unguarded(app) as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def put_back(app: Flask, *tables: str) -> Iterator[None]:
    """Whatever happens to these tables meanwhile, they have the same rows afterwards."""
    with _unguarded(app) as cursor:
        kept = {table: _rows(cursor, table) for table in tables}
    try:
        yield
    finally:
        mark = "?" if books.is_sqlite(app) else "%s"
        with _unguarded(app) as cursor:
            for table, (columns, rows) in kept.items():
                cursor.execute(f"DELETE FROM {table}")
                marks = ", ".join([mark] * len(columns.split(",")))
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


@contextmanager
def _unguarded(app: Flask) -> Iterator[Any]:
    """A cursor of the driver's own."""
    with app.app_context():
        db.session.remove()
        connection = db.engine.raw_connection()
        cursor: Any = connection.cursor()
        try:
            _lower(app, cursor)
            yield cursor
            connection.commit()
        finally:
            _raise(app, cursor)
            cursor.close()
            connection.close()


def _lower(app: Flask, cursor: Any) -> None:
    if not books.is_sqlite(app):
        cursor.execute("SET session_replication_role = replica")  # neither triggers nor keys
        return
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP TRIGGER {name}")


def _raise(app: Flask, cursor: Any) -> None:
    if books.is_sqlite(app):
        cursor.execute("PRAGMA foreign_keys = ON")
    else:
        cursor.connection.rollback()
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.connection.commit()


def _rows(cursor: Any, table: str) -> tuple[str, list[Any]]:
    cursor.execute(f"SELECT * FROM {table}")
    columns = ", ".join(column[0] for column in cursor.description)
    return columns, cursor.fetchall()
