"""Fresh, migrated databases, made fast: copies of one that was migrated once."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine

from storefront import tables
from storefront.config import ROOT
from storefront.db import Base, engine_options, prepare_engine
from tests.support import postgres

TEMPLATE = "shop_template"
NAMES = ("sqlite", "postgresql")


@contextmanager
def connected(database_url: str) -> Iterator[Connection]:
    """A connection beside the app's own, with the shop's engine settings; closed afterwards."""
    with an_engine(database_url) as engine, engine.connect() as connection:
        yield connection


@contextmanager
def an_engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url, **engine_options(database_url))
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(database_url: str, revision: str = "head") -> None:
    """Run the migrations up to a revision."""
    with connected(database_url) as connection:
        command.upgrade(alembic_config(connection), revision)


def migrate_down(database_url: str, revision: str = "base") -> None:
    with connected(database_url) as connection:
        command.downgrade(alembic_config(connection), revision)


def alembic_config(connection: Connection) -> Config:
    assert tables.ALL
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    return config


def sqlite_template(folder: Path) -> Path:
    """A migrated SQLite file. Its last connection is closed, so that the file is all of it."""
    path = folder / "template.sqlite3"
    migrate(f"sqlite:///{path}")
    assert not path.with_name("template.sqlite3-wal").exists()
    return path


@contextmanager
def new_sqlite(template: Path, folder: Path) -> Iterator[str]:
    path = folder / "shop.sqlite3"
    shutil.copyfile(template, path)
    yield f"sqlite:///{path}"


@contextmanager
def new_postgresql() -> Iterator[str]:
    name = f"shop_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name, _postgresql_template())
    postgres.drop_database(name)


class ReusedPostgresql:
    """One database for many tests, emptied after each: creating one takes ten times as long.

    A test that changed the schema (dropped a trigger, planted one) costs it: the next test gets
    a new one.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._url: str | None = None
        self._triggers: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        if self._url is None:
            self._url = self._stack.enter_context(new_postgresql())
            self._connect()
            self._triggers = self._triggers_now()
        yield self._url
        if not self._emptied():
            self.drop()

    def drop(self) -> None:
        self._stack.close()
        self._url = None

    def _connect(self) -> None:
        assert self._url is not None
        self._connection = psycopg.connect(self._url, autocommit=True)
        self._stack.callback(self._connection.close)

    def _emptied(self) -> bool:
        """Bring the database back to its first state; False when its schema was changed, as its
        triggers tell."""
        try:
            if self._triggers_now() != self._triggers:
                return False
        except psycopg.OperationalError:  # the test has ended all connections, ours as well
            self._connect()
            return self._emptied()
        self._connection.execute(_emptying())
        return True

    def _triggers_now(self) -> list[str]:
        return [name for (name,) in self._connection.execute(TRIGGERS)]


TRIGGERS = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"


@cache
def _emptying() -> bytes:
    """All of it in one message: each that waits for its answer takes as long as ten deletes."""
    tables = reversed(Base.metadata.sorted_tables)
    deletes = [
        f"DELETE FROM {table.name}"
        + (" WHERE kind = 'wallet'" if table.name == "ledger_accounts" else "")
        for table in tables
    ]
    return "; ".join(["BEGIN", END_OTHERS, NO_TRIGGERS, *deletes, "COMMIT"]).encode()


END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
"""Those of killed processes, which may hold locks."""
NO_TRIGGERS = "SET LOCAL session_replication_role = replica"
"""Emptied is what may otherwise only be added to, as well."""


@contextmanager
def new_empty(name: str, folder: Path) -> Iterator[str]:
    """A database without a single table, for testing the migrations themselves."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'empty.sqlite3'}"
        return
    database = f"empty_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(database)
    postgres.drop_database(database)


def _postgresql_template() -> str:
    with postgres.making("template"):
        if postgres.make_once("template"):
            migrate(postgres.create_database(TEMPLATE))
    return TEMPLATE
