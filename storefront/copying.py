"""The whole shop from one database into another: from a SQLite file to PostgreSQL.

All or nothing: everything is written in one transaction of the target, which is committed when it
was read back and is the same. Meanwhile the source is locked against writers, so that nothing is
left behind by accident; who reads goes on reading.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    Row,
    Table,
    exists,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from storefront import ledger
from storefront.db import Base, clock, utc_text, utcnow
from storefront.errors import StorefrontError
from storefront.jobs import Job
from storefront.ledger import Account, Discrepancy

BATCH = 1_000
DIGEST_BITS = 256
VERSION = "SELECT version_num FROM alembic_version"

Tell = Callable[[str], None]


class CannotCopy(StorefrontError):
    """The copy cannot be made; the target is as it was before."""

    code = "cannot_copy"
    title = "The database cannot be copied"


@dataclass(frozen=True)
class Measure:
    """What a table holds: how many rows, the sum of each column of whole numbers, and a digest of
    every value in it, which does not depend on the order of rows."""

    rows: int
    sums: dict[str, int]
    digest: int


@dataclass(frozen=True)
class Copied:
    """What was copied, and is now the same on both sides. `discrepancies` of the books were there
    before, and are there now."""

    tables: dict[str, Measure]
    wallets: int
    transfers: int
    discrepancies: list[Discrepancy]

    @property
    def rows(self) -> int:
        return sum(measure.rows for measure in self.tables.values())


def copy(
    source: Engine, target: Engine, head: str | None, tell: Tell = lambda _line: None
) -> Copied:
    """Copy every table in the order of foreign keys, prove that both sides are the same, and only
    then commit. `head` is the newest migration; `tell` is called with a line for each table.
    Raises CannotCopy."""
    if source.dialect.name != "sqlite" or target.dialect.name != "postgresql":
        raise CannotCopy(
            "A shop is copied from SQLite to PostgreSQL: DATABASE_URL names the SQLite file, --to "
            "a database such as postgresql://user:password@host/shop."
        )
    with _locked(source) as here, _opened(target) as there:
        _require_head(here, head, "The shop's database")
        _require_head(there, head, "The target")
        _require_quiet(here)
        _require_empty(there)
        tables = {table.name: _copy_table(here, there, table, tell) for table in _in_order()}
        copied = _proven(here, there, tables)
        _set_sequences(there)
    return copied


@contextmanager
def _locked(source: Engine) -> Iterator[Connection]:
    """The source inside a transaction that keeps everybody else from writing."""
    try:
        with source.connect().execution_options(immediate=True) as connection:
            connection.execute(text("SELECT 1"))  # begins
            yield connection
    except OperationalError as error:
        raise CannotCopy(
            "The shop's database is being written to. Stop the web processes and the workers first."
        ) from error


@contextmanager
def _opened(target: Engine) -> Iterator[Connection]:
    try:
        with target.begin() as connection:  # and commit, if nothing is raised
            yield connection
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        raise CannotCopy(f"The target refused: {said}") from error


def _in_order() -> list[Table]:
    """Each table after those that it refers to."""
    return Base.metadata.sorted_tables


def _require_head(connection: Connection, head: str | None, whose: str) -> None:
    known = "alembic_version" in inspect(connection).get_table_names()
    found = connection.scalar(text(VERSION)) if known else None
    if found != head:
        raise CannotCopy(
            f"{whose} is at migration {found or 'none'}, this version of the shop is at {head}. "
            "Run: flask db upgrade (for the target with its DATABASE_URL)"
        )


def _require_quiet(here: Connection) -> None:
    """A worker's lease is the sign of one that works: what it does outside, such as a mail, would
    be done again by the copy's."""
    session = Session(here)
    held = Job.done_at.is_(None) & (Job.locked_until > clock(session))
    if here.scalar(select(exists().where(held))):
        raise CannotCopy(
            "A worker is doing a job. Stop the web processes and the workers first; one that was "
            "killed holds its job for up to a minute."
        )


def _require_empty(there: Connection) -> None:
    for table in _in_order():
        query = select(exists(select(table).where(*_not_of_the_schema(table))))
        if there.scalar(query):
            raise CannotCopy(
                f"The target is not empty: there are rows in {table.name}. Copy into a database of "
                "its own, fresh from flask db upgrade."
            )


def _not_of_the_schema(table: Table) -> Sequence[Any]:
    """System accounts are made by the migrations, on both sides."""
    return [table.c.kind == "wallet"] if table.name == Account.__tablename__ else []


def _copy_table(here: Connection, there: Connection, table: Table, tell: Tell) -> Measure:
    query = select(table).where(*_not_of_the_schema(table))
    measure = _Measuring(table)
    for rows in _batches(here, query):
        there.execute(insert(table), [dict(row._mapping) for row in rows])
        measure.add(rows)
    tell(f"{table.name}: {measure.rows:,} rows")
    return measure.taken()


def _batches(connection: Connection, query: Any) -> Iterator[Sequence[Row[Any]]]:
    found = connection.execute(query, execution_options={"yield_per": BATCH})
    return found.partitions(BATCH)


class _Measuring:
    """Measures rows as they pass by."""

    def __init__(self, table: Table) -> None:
        self.rows, self._digest = 0, 0
        self._whole = [
            (place, column.name)
            for place, column in enumerate(table.columns)
            if isinstance(column.type, Integer)
        ]
        self._sums = dict.fromkeys((name for _, name in self._whole), 0)

    def add(self, rows: Sequence[Row[Any]]) -> None:
        self.rows += len(rows)
        for row in rows:
            content = json.dumps([_plain(value) for value in row], ensure_ascii=True)
            self._digest += int.from_bytes(hashlib.sha256(content.encode()).digest())
            for place, name in self._whole:
                self._sums[name] += row[place] or 0

    def taken(self) -> Measure:
        return Measure(self.rows, self._sums, self._digest % 2**DIGEST_BITS)


def _plain(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value


def _proven(here: Connection, there: Connection, tables: dict[str, Measure]) -> Copied:
    """Read everything back, and have the books verified on both sides."""
    for table in _in_order():
        if _measured(there, table) != tables[table.name]:
            raise CannotCopy(f"{table.name} is not the same in the target. Nothing was kept.")
    now, ours, theirs = utcnow(), Session(here), Session(there)
    found = [sorted(ledger.verify(each, now), key=str) for each in (ours, theirs)]
    sizes = [ledger.sizes(each) for each in (ours, theirs)]
    if found[0] != found[1] or sizes[0] != sizes[1]:
        raise CannotCopy("The books are not the same in the target. Nothing was kept.")
    wallets, transfers = sizes[0]
    return Copied(tables, wallets, transfers, found[0])


def _measured(connection: Connection, table: Table) -> Measure:
    measure = _Measuring(table)
    for rows in _batches(connection, select(table).where(*_not_of_the_schema(table))):
        measure.add(rows)
    return measure.taken()


def _set_sequences(there: Connection) -> None:
    """Numbers that the database gives go on after the highest that was copied."""
    for table in _in_order():
        column = table.autoincrement_column
        if column is not None and _sequence(there, column) is not None:
            there.execute(
                select(
                    func.setval(
                        _sequence(there, column),
                        select(func.coalesce(func.max(column), 0) + 1).scalar_subquery(),
                        False,
                    )
                )
            )


def _sequence(there: Connection, column: Column[Any]) -> str | None:
    name: str | None = there.scalar(
        select(func.pg_get_serial_sequence(column.table.name, column.name))
    )
    return name
