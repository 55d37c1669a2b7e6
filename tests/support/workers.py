"""A worker as a process of its own, with jobs that a test can watch and hold up.

As a program: python -m tests.support.workers FOLDER DATABASE_URL LEASE_SECONDS
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storefront import jobs
from storefront.config import ROOT
from storefront.jobs import Args, Registry
from tests.support.apps import an_app, closing, some_settings


class WatchedJobs:
    """Jobs that write what they do into a folder, one line each, and wait where told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def registry(self) -> Registry:
        return {"note": self.note, "wait": self.wait, "fail": self.fail, "die": self.die}

    def note(self, args: Args) -> None:
        """Write a line that says which job it was."""
        self.tell(f"done {args['name']}")

    def wait(self, args: Args) -> None:
        """Say that it has begun, and go on once the file `go` is there."""
        self.tell(f"begun {args['name']}")
        deadline = time.monotonic() + 60
        while not (self.folder / "go").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.tell(f"done {args['name']}")

    def fail(self, args: Args) -> None:
        self.tell(f"failed {args['name']}")
        raise RuntimeError(f"{args['name']} always fails")

    def die(self, args: Args) -> None:
        """The kind that takes its worker with it."""
        self.tell(f"died {args['name']}")
        os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, line: str) -> None:
        with (self.folder / "told").open("a") as file:
            file.write(f"{line}\n")

    def told(self) -> list[str]:
        path = self.folder / "told"
        return path.read_text().splitlines() if path.exists() else []

    def go(self) -> None:
        (self.folder / "go").touch()


@contextmanager
def a_worker(
    watched: WatchedJobs, database_url: str, lease_seconds: float = 60
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "error", "-m", "tests.support.workers"]
    command += [str(watched.folder), database_url, str(lease_seconds)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def main() -> None:
    folder, database_url, lease_seconds = sys.argv[1:]
    with closing(an_app(some_settings(Path(folder), database_url))) as app, app.app_context():
        registry = WatchedJobs(Path(folder)).registry()
        with jobs.Stop() as stop:
            jobs.Worker(registry, (), float(lease_seconds), stop).run()


if __name__ == "__main__":
    main()
