"""What the figures were measured on, and whether it was idle."""

import os
import platform
import statistics
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks import servers
from storefront.db import sqlite_module

IDLE_PERCENT = 5.0
PATIENCE_SECONDS = 20
SYNCS = 300
BLOCK = b"x" * 8192  # a page of PostgreSQL's log
LOOPS = 10_000_000


def wait_until_idle(patience_seconds: float = PATIENCE_SECONDS) -> dict[str, float]:
    """Wait until nobody else uses the processors, within bounds; what was found at the end.
    `stolen` is what the host of a virtual machine gave to others."""
    began = time.monotonic()
    while True:
        before = psutil.cpu_times()
        busy = psutil.cpu_percent(interval=0.5)
        after = psutil.cpu_times()
        waited = time.monotonic() - began
        if busy < IDLE_PERCENT or waited > patience_seconds:
            break
    spent = sum(after) - sum(before)
    stolen = 100 * (getattr(after, "steal", 0) - getattr(before, "steal", 0)) / max(spent, 0.01)
    return {
        "foreign_percent": round(busy, 1),
        "stolen_percent": round(stolen, 1),
        "waited_seconds": round(waited, 1),
    }


def describe(folder: Path) -> dict[str, Any]:
    """The machine, what runs on it, and how fast it is now. Names no host and no path."""
    sync = _sync_microseconds(folder)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "postgresql": _postgresql(),
        "sqlite": sqlite_module().sqlite_version,
        **{name: version(name) for name in ("gunicorn", "flask", "sqlalchemy", "psycopg")},
        "sync_microseconds": round(statistics.median(sync)),
        "slowest_sync_microseconds": round(max(sync)),
        "ten_million_loops_seconds": round(_loop_seconds(), 2),
    }


def commit() -> str:
    """The commit that is measured; with -dirty when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _sync_microseconds(folder: Path) -> list[float]:
    """How long the disk takes to keep a block, each time."""
    found = []
    path = folder / "synced"
    with path.open("wb", buffering=0) as file:
        file.write(BLOCK * SYNCS)
        file.seek(0)
        for _ in range(SYNCS):
            file.write(BLOCK)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            found.append((time.perf_counter() - began) * 1e6)
    path.unlink()
    return found


def _loop_seconds() -> float:
    began = time.perf_counter()
    for _ in range(LOOPS):
        pass
    return time.perf_counter() - began


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgresql() -> str:
    command = [str(servers.postgresql_bin() / "postgres"), "--version"]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()[-1]
