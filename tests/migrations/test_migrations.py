"""Migrations: numbered, up and down on both databases, and equal to the models."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from storefront.config import ROOT
from storefront.db import Base, Flag, Utc
from storefront.ledger.movements import SYSTEM_ACCOUNTS
from tests.support import books, databases
from tests.support.apps import SHOPS_PRAGMAS

VERSIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))


@pytest.fixture(params=databases.NAMES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with databases.new_empty(request.param, tmp_path) as url:
        yield url


def schema(database_url: str) -> dict[str, object]:
    """Everything that can be told of a schema: columns, keys, indexes, checks, triggers."""
    with databases.connected(database_url) as connection:
        inspector = inspect(connection)
        tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
        found: dict[str, object] = {
            table: {
                "columns": [
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in inspector.get_columns(table)
                ],
                "checks": sorted(
                    str(it["sqltext"]) for it in inspector.get_check_constraints(table)
                ),
                "unique": sorted(
                    str(it["column_names"]) for it in inspector.get_unique_constraints(table)
                ),
                "foreign": sorted(
                    f"{it['constrained_columns']}->{it['referred_table']}"
                    for it in inspector.get_foreign_keys(table)
                ),
                "indexes": sorted(str(it["column_names"]) for it in inspector.get_indexes(table)),
            }
            for table in tables
        }
        triggers = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
            "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
        }[connection.dialect.name]
        found["triggers"] = connection.execute(text(triggers)).scalars().all()
        return found


def test_up_down_and_up_again_is_the_same(empty_url: str) -> None:
    databases.migrate(empty_url)
    first = schema(empty_url)
    databases.migrate_down(empty_url)
    nothing = schema(empty_url)
    databases.migrate(empty_url)
    assert nothing == {"triggers": []}
    assert schema(empty_url) == first
    assert len(first) == len(Base.metadata.tables) + 1


def test_each_step_goes_down_and_up_by_itself(empty_url: str) -> None:
    for path in VERSIONS:
        revision = path.name[:4]
        databases.migrate(empty_url, revision)
        before = schema(empty_url)
        databases.migrate_down(
            empty_url, f"{int(revision) - 1:04}" if revision > "0001" else "base"
        )
        databases.migrate(empty_url, revision)
        assert schema(empty_url) == before


def test_models_are_what_migrations_make(empty_url: str) -> None:
    databases.migrate(empty_url)
    with databases.connected(empty_url) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_checks_and_strictness_are_those_of_the_models(empty_url: str, tmp_path: Path) -> None:
    """What alembic does not compare: a database made from the models has the same."""
    databases.migrate(empty_url)
    migrated = schema(empty_url)
    kind = "sqlite" if empty_url.startswith("sqlite") else "postgresql"
    (tmp_path / "models").mkdir()
    with databases.new_empty(kind, tmp_path / "models") as modelled_url:
        with databases.connected(modelled_url) as connection, connection.begin():
            Base.metadata.create_all(connection)
        modelled = schema(modelled_url)
    assert modelled | {"triggers": None} == migrated | {"triggers": None}


def test_every_sqlite_table_is_strict(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'strict.sqlite3'}"
    databases.migrate(url)
    with databases.connected(url) as connection:
        rows = connection.execute(text("SELECT name, strict FROM pragma_table_list"))
        strict = {name: bool(flag) for name, flag in rows if name in Base.metadata.tables}
    assert strict == dict.fromkeys(Base.metadata.tables, True)


def test_files_are_numbered_without_gaps_and_chained_in_that_order() -> None:
    names = [path.name for path in VERSIONS]
    assert names, "there is at least one"
    for number, name in enumerate(names, start=1):
        assert re.fullmatch(rf"{number:04}_[a-z0-9_]+\.py", name), name
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    chain = [script.revision for script in scripts.walk_revisions()][::-1]
    assert chain == [name[:4] for name in names]


def test_a_new_shop_has_its_system_accounts_and_nothing_else(app: Flask) -> None:
    with databases.connected(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
        accounts = connection.execute(text("SELECT id FROM ledger_accounts")).scalars().all()
    assert sorted(accounts) == sorted(SYSTEM_ACCOUNTS)
    assert books.read(app).users == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_runs_with_the_pragmas_that_money_needs(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.db.SQLITE_PRAGMAS", SHOPS_PRAGMAS)  # not those of tests
    with databases.connected(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_types_that_differ_between_databases_are_our_own() -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            name = type(column.type).__name__
            assert name in ("Text", "BigInteger") or isinstance(column.type, Utc | Flag), column


def test_readyz_knows_whether_migrations_are_at_head(app: Flask) -> None:
    assert app.test_client().get("/readyz").status_code == 200
    books.execute(app, "UPDATE alembic_version SET version_num = '0000'")
    response = app.test_client().get("/readyz")
    books.execute(app, "UPDATE alembic_version SET version_num = :head", head=VERSIONS[-1].name[:4])
    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "migrations": "0000",
        "run": "flask db upgrade",
    }
