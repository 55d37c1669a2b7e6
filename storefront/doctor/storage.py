"""Checks of the database."""

from sqlalchemy import text

from storefront.db import SQLITE_PRAGMAS, is_sqlite
from storefront.doctor.findings import Finding, failure, ok
from storefront.doctor.visit import Visit

ANSWERS = {"WAL": "wal", "FULL": 2, "ON": 1, "OFF": 0, "0": 0}
"""What SQLite answers when a pragma has this value."""

WAL_BUG = ((3, 7, 0), (3, 51, 2))
"""Versions that can lose a committed transaction when a checkpoint resets the log (sqlite.org/wal,
"the WAL-reset bug")."""


def database(visit: Visit) -> Finding:
    """It answers; PostgreSQL puts a commit on disk before it acknowledges it."""
    if is_sqlite(visit.session):
        visit.session.scalar(text("SELECT 1"))
        return ok("SQLite: one machine, one web process")
    durable = visit.session.scalar(text("SHOW synchronous_commit"))
    version = visit.session.scalar(text("SHOW server_version"))
    if durable in ("off", "local"):
        found = f"synchronous_commit is {durable}: what was acknowledged can be lost"
        return failure(found, "ALTER DATABASE … SET synchronous_commit = on")
    return ok(f"PostgreSQL {version}")


def migrations(visit: Visit) -> Finding:
    """The tables are those of this version of the shop."""
    current, newest = visit.revision
    if current != newest:
        return failure(f"at {current or 'nothing'}, the shop needs {newest}", "flask db upgrade")
    return ok(f"at {current}")


def sqlite_pragmas(visit: Visit) -> Finding:
    """SQLite is as durable and as strict as the shop relies on."""
    if not is_sqlite(visit.session):
        return ok("not SQLite")
    for name, value in SQLITE_PRAGMAS.items():
        found = visit.session.scalar(text(f"PRAGMA {name}"))
        if found != ANSWERS[value]:
            return failure(f"{name} is {found}, not {value}", "see storefront/db.py")
    return ok(", ".join(f"{name}={value}" for name, value in SQLITE_PRAGMAS.items()))


def sqlite_version(visit: Visit) -> Finding:
    """No version with a known corruption bug."""
    if not is_sqlite(visit.session):
        return ok("not SQLite")
    version = visit.sqlite_version
    first, last = WAL_BUG
    if first <= tuple(map(int, version.split("."))) <= last:
        found = f"SQLite {version} can lose commits (the WAL-reset bug, up to 3.51.2)"
        return failure(found, "pip install pysqlite3, which brings its own SQLite")
    return ok(f"SQLite {version}")
