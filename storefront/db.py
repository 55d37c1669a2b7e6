"""The database: engine, session, transaction(), column types, and what SQLite needs.

Reading needs nothing: `db.session` opens a transaction by itself and the request's end closes it.
Writing happens inside `with transaction() as session:` and nowhere else; a flush outside of it is
a programming error. Transactions never nest and never wait for the network.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnClause,
    Connection,
    DateTime,
    Engine,
    Integer,
    Text,
    event,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

SQLITE_BUSY_TIMEOUT_SECONDS = 10
SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a commit is on disk before it is acknowledged; see docs/decisions
    "foreign_keys": "ON",
    "mmap_size": "0",
    "trusted_schema": "OFF",
}


DEADLOCK = "40P01"
"""PostgreSQL's SQLSTATE."""


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, ISO text on SQLite (STRICT tables)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        text_or_time = Text() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(text_or_time)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        assert value.tzinfo is not None, "times are UTC and say so"
        return utc_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else cast(datetime, value)
        return moment.astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """True or false: boolean on PostgreSQL, 0/1 on SQLite (STRICT tables know no booleans)."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


Whole = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer: money in minor units, credits, counters."""

MAX_WHOLE = 2**63 - 1


class Base(DeclarativeBase):
    """The parent of all tables; they live beside their rules in the noun modules."""


STRICT = {"sqlite_strict": True}


class ShopSession(FlaskSession):
    """The session of a request or command. After read_lightly() its reading phases are no
    transactions."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        lightly = self.info.get("lightly")
        if lightly is None or self.info.get("writing"):
            return super().get_bind(*args, **kwargs)
        return lightly


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": ShopSession})
_sqlite_write_lock = threading.RLock()


def utcnow() -> datetime:
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """The text that SQLite stores: fixed width, so that it sorts by time."""
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")


@contextmanager
def transaction() -> Iterator[Session]:
    """One phase of writing: commits at the end, rolls everything back if anything is raised.

    On SQLite it begins with BEGIN IMMEDIATE, behind a lock of this process: a kernel-fair queue
    instead of SQLite's sleep-and-retry (measured: p99 462 ms -> 21 ms at equal throughput).
    """
    session = cast(Session, db.session())
    assert not session.info.get("writing"), "transactions do not nest"
    session.commit()  # a new phase sees what is true now
    with _write_lock(session):
        session.info["writing"] = True
        try:
            session.connection(execution_options={"immediate": True})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["writing"] = False


@contextmanager
def sqlite_transaction() -> Iterator[Connection]:
    """The same for SQLite's hot path: a connection inside BEGIN IMMEDIATE, without a session, which
    would take longer than the statements."""
    if db.session.registry.has():
        end_reading()  # a new phase sees what is true now
    immediate = db.engine.execution_options(immediate=True)
    with _sqlite_write_lock, immediate.begin() as connection:
        yield connection


def is_deadlock(error: BaseException) -> bool:
    """Whether PostgreSQL ended this transaction because two waited for each other. Nothing was
    done, the other goes on, and trying again is right."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == DEADLOCK


def end_reading() -> None:
    """Close the reading phase and hand its connection back: called before every network call,
    so that no transaction ever waits for one."""
    session = cast(Session, db.session())
    assert not session.info.get("writing"), "no transaction waits for the network"
    session.commit()


def read_lightly() -> None:
    """Have PostgreSQL take each query outside of transaction() by itself, until the session ends:
    that spares a page two of its round trips, the BEGIN and the ROLLBACK. A query sees what is
    committed when it begins either way (READ COMMITTED). Call it before the first query; what reads
    by a cursor of the server's needs a transaction, and must not be called so."""
    session = cast(Session, db.session())
    if not is_sqlite(session):
        session.info["lightly"] = _each_by_itself(db.engine)


def _each_by_itself(engine: Engine) -> Engine:
    """The same pool, but on its connections each statement is a transaction by itself. Made once,
    and kept with the engine."""
    kept: dict[str, Any] = vars(engine)
    if "each_by_itself" not in kept:
        kept["each_by_itself"] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return cast(Engine, kept["each_by_itself"])


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def insert(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """INSERT with the ON CONFLICT that both databases know, each through its own dialect."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


def clock(session: Session, plus_seconds: float = 0) -> ColumnClause[datetime]:
    """SQL for the database's own time, as its columns hold it: machines that share a database
    need not agree about the time."""
    if is_sqlite(session):
        now = sqlite_clock(plus_seconds)
    else:
        now = f"(statement_timestamp() + interval '{plus_seconds:.3f} seconds')"
    return literal_column(now, Utc)


def sqlite_clock(plus_seconds: float = 0) -> str:
    """The same for statements that are written for SQLite."""
    return f"strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', '{plus_seconds:+.3f} seconds')"


def _write_lock(session: Session) -> Any:
    return _sqlite_write_lock if is_sqlite(session) else nullcontext()


AT_ONCE = "at_once"
"""The pool of connections that at_once() lends. PostgreSQL only."""


@contextmanager
def at_once() -> Iterator[Any]:
    """A connection of psycopg's own, on which each statement is a transaction by itself: for the
    one statement that is worth it (docs/decisions/0002). Raises DBAPIError as SQLAlchemy would;
    when the connection is dead, so are the others of its pool, and new ones take their place."""
    engine = db.engines[AT_ONCE]
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    base: Any = engine.dialect.loaded_dbapi.Error
    try:
        yield connection
    except base as error:
        dead = bool(connection.closed)
        if dead:
            pooled.invalidate(error)
            engine.dispose()
        raise DBAPIError.instance(
            None, None, error, base, connection_invalidated=dead, dialect=engine.dialect
        ) from error
    finally:
        pooled.close()


def engine_settings(database_url: str) -> dict[str, Any]:
    """What Flask-SQLAlchemy is told of the database: how to connect, and at_once()'s pool."""
    options = engine_options(database_url)
    told = {"SQLALCHEMY_DATABASE_URI": database_url, "SQLALCHEMY_ENGINE_OPTIONS": options}
    if not database_url.startswith("sqlite"):
        each_by_itself = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
        pool = {"url": database_url, "pool_size": 4, "max_overflow": 0, **each_by_itself}
        told["SQLALCHEMY_BINDS"] = {AT_ONCE: pool}
    return told


def engine_options(database_url: str) -> dict[str, Any]:
    """Options for create_engine: a connection for each of gunicorn's threads, kept; on SQLite the
    newest library. (Beyond its size a pool opens one for each use, which takes a hundred times as
    long as using it.)"""
    if not database_url.startswith("sqlite"):
        return {"pool_size": 8, "max_overflow": 2, "pool_recycle": 300}
    return {
        "module": sqlite_module(),
        "connect_args": {
            "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
            "check_same_thread": False,
            "isolation_level": None,
        },
    }


def sqlite_module() -> ModuleType:
    """pysqlite3 where its wheel exists (SQLite 3.53, without the WAL-reset bug of 3.7.0 to
    3.51.2), else the standard library's."""
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3 as dbapi2
    return cast(ModuleType, dbapi2)


def prepare_engines() -> None:
    """Those of the current app: what their connections are told when they are opened."""
    prepare_engine(db.engine)
    if AT_ONCE in db.engines:
        event.listen(db.engines[AT_ONCE], "connect", _look_up_by_index)


def prepare_engine(engine: Engine) -> None:
    """Give a SQLite engine its pragmas and explicit BEGINs; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)


def _look_up_by_index(connection: Any, _record: Any) -> None:
    """Each look-up there is by a unique key. A plan made while a table was nearly empty reads all
    of it, and is kept while the table grows: 300 events per second became 50."""
    connection.execute("SET enable_seqscan = off")


def _set_pragmas(connection: Any, _record: Any) -> None:
    for name, value in SQLITE_PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@event.listens_for(Session, "before_flush")
def _refuse_stray_writes(session: Session, _context: Any, _instances: Any) -> None:
    assert session.info.get("writing"), "write inside transaction()"
