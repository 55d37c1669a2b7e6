"""Objects in the store: a public body as Stripe shows it, and a private part it never shows."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import JSON

_COLUMNS = "seq, id, type, created, deleted, body, private"


@dataclass
class Record:
    """One stored object. Change `body` or `private`, then `Records.save` it."""

    id: str
    type: str
    created: int
    body: JSON
    private: JSON = field(default_factory=dict)
    deleted: bool = False
    seq: int = 0

    def shown(self) -> JSON:
        """Return a copy of what the API answers: a deleted object is only its stub."""
        if self.deleted:
            return {"id": self.id, "object": self.type, "deleted": True}
        return copy.deepcopy(self.body)


@dataclass(frozen=True)
class Condition:
    """A piece of a WHERE clause over `objects`, with its values."""

    sql: str
    values: tuple[Any, ...] = ()


def equals(name: str, value: Any) -> Condition:
    """Select objects whose top-level field has this value (indexed for the common fields)."""
    return Condition(f"json_extract(body, '$.{name}') = ?", (value,))


def one_of(name: str, values: Sequence[str]) -> Condition:
    """Select objects whose top-level field is one of these values."""
    marks = ", ".join("?" for _ in values)
    return Condition(f"json_extract(body, '$.{name}') IN ({marks})", tuple(values))


def matches(name: str, pattern: str) -> Condition:
    """Select objects whose top-level field matches a pattern with `*`, the only wildcard."""
    plain = pattern.replace("[", "[[]").replace("?", "[?]")
    return Condition(f"json_extract(body, '$.{name}') GLOB ?", (plain,))


@dataclass(frozen=True)
class Query:
    """A page of one type's objects, newest first."""

    type: str
    conditions: tuple[Condition, ...] = ()
    limit: int = 10
    before: int | None = None  # only objects older than this seq
    after: int | None = None  # only objects newer than this seq


class Records:
    """Reads and writes objects over one connection; each object is loaded once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # Two loads of one object must give the same Record, or the second save would undo
        # the first.
        self._loaded: dict[str, Record] = {}

    def add(self, record: Record) -> Record:
        """Store a new object and give it its place in the order."""
        cursor = self._connection.execute(
            "INSERT INTO objects (id, type, created, deleted, body, private)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (record.id, record.type, record.created, record.deleted, *_written(record)),
        )
        record.seq = cursor.lastrowid or 0
        self._loaded[record.id] = record
        return record

    def save(self, record: Record) -> None:
        """Store the object's changed body and private part."""
        self._connection.execute(
            "UPDATE objects SET deleted = ?, body = ?, private = ? WHERE seq = ?",
            (record.deleted, *_written(record), record.seq),
        )

    def get(self, type: str, id: str) -> Record | None:
        """Return the object, deleted or not, or None when there is none of that type."""
        record = self.named(id)
        return record if record is not None and record.type == type else None

    def named(self, id: str) -> Record | None:
        """Return the object of whatever type, or None."""
        if id not in self._loaded:
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM objects WHERE id = ?",  # noqa: S608  our own columns
                (id,),
            ).fetchone()
            if row is None:
                return None
            self._loaded[id] = _read(row)
        return self._loaded[id]

    def forget(self) -> None:
        """Load every object anew from here on: a part of the work was undone."""
        self._loaded.clear()

    def page(self, query: Query) -> tuple[list[Record], bool]:
        """Return the page newest first, and whether there is more in its direction."""
        where, values = _where(query)
        direction = "ASC" if query.after is not None else "DESC"
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM objects WHERE {where}"  # noqa: S608  values are bound
            f" ORDER BY seq {direction} LIMIT ?",
            (*values, query.limit + 1),
        ).fetchall()
        records = [self._keep(_read(row)) for row in rows[: query.limit]]
        if query.after is not None:
            records.reverse()
        return records, len(rows) > query.limit

    def all(self, type: str, *conditions: Condition) -> list[Record]:
        """Return every such object, newest first."""
        return self.page(Query(type, conditions, limit=1_000_000))[0]

    def _keep(self, record: Record) -> Record:
        return self._loaded.setdefault(record.id, record)


def _where(query: Query) -> tuple[str, list[Any]]:
    parts = ["type = ?", "deleted = 0"]
    values: list[Any] = [query.type]
    for condition in query.conditions:
        parts.append(condition.sql)
        values.extend(condition.values)
    if query.before is not None:
        parts.append("seq < ?")
        values.append(query.before)
    if query.after is not None:
        parts.append("seq > ?")
        values.append(query.after)
    return " AND ".join(parts), values


def _written(record: Record) -> tuple[str, str]:
    return json.dumps(record.body), json.dumps(record.private)


def _read(row: tuple[Any, ...]) -> Record:
    seq, id, type, created, deleted, body, private = row
    return Record(id, type, created, json.loads(body), json.loads(private), bool(deleted), seq)
