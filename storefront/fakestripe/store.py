"""The SQLite file in which the stand-in keeps everything, so that it survives a restart.

One writer at a time (a lock, then BEGIN IMMEDIATE), readers on connections of their own.
WAL with synchronous=NORMAL: a killed process loses nothing, and no money hangs on a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .records import Record, Records

# Object fields that lists filter by; each gets an index on the stored JSON.
INDEXED_FIELDS = (
    "customer", "payment_intent", "email", "type", "source", "charge", "subscription", "product",
    "invoice", "lookup_key",
)  # fmt: skip

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    created INTEGER NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL, private TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS objects_by_type ON objects (type, deleted, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL,
    reason TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, next_try REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, next_try);
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, delivery INTEGER NOT NULL REFERENCES deliveries,
    at REAL NOT NULL, duration_ms INTEGER NOT NULL, url TEXT NOT NULL, status INTEGER,
    error TEXT, response TEXT NOT NULL, signature TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_of_delivery ON attempts (delivery);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, kind TEXT NOT NULL,
    object TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS timers_due ON timers (due);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL, created REAL NOT NULL,
    request_id TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
"""
TABLES = ("attempts", "deliveries", "timers", "idempotency", "objects")


class Transaction:
    """One unit of work: objects, events, deliveries and remembered answers commit together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.records = Records(connection)
        self.after_commit: list[Callable[[], None]] = []

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement inside this transaction."""
        return self._connection.execute(sql, values)

    def meta(self, name: str) -> str | None:
        """Return a stored setting, or None."""
        row = self.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Store a setting."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def get(self, type: str, id: str) -> Record | None:
        """Return the object, deleted or not, or None."""
        return self.records.get(type, id)


class Store:
    """Opens the file, makes the tables, and hands out transactions."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(SCHEMA)
        for field in INDEXED_FIELDS:
            self._writer.execute(
                f"CREATE INDEX IF NOT EXISTS objects_by_{field} ON objects"
                f" (type, json_extract(body, '$.{field}'), seq)"
            )

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open the one write transaction; commit at the end, roll back on any exception."""
        with self._write_lock:
            transaction = Transaction(self._writer)
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield transaction
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        for action in transaction.after_commit:
            action()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a consistent snapshot; nothing may be written through it."""
        connection = self._borrow()
        connection.execute("BEGIN")
        try:
            yield Transaction(connection)
        finally:
            connection.execute("ROLLBACK")
            with self._idle_lock:
                self._idle.append(connection)

    def close(self) -> None:
        """Close every connection; the store cannot be used afterwards."""
        with self._write_lock:
            self._writer.close()
        with self._idle_lock:
            while self._idle:
                self._idle.pop().close()

    def _borrow(self) -> sqlite3.Connection:
        with self._idle_lock:
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
