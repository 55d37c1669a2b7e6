"""Cold: from a clone to the first page, the time an import takes, and the memory of an idle shop.

The clone is a real one, into an empty folder, and is started by its own bin/run. Its packages come
from where pip finds them, most likely its cache: that time is told apart. Imports are measured in
processes of their own whose bytecode is there already.
"""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.frame import Bench, Measured, Ratio, Skipped, median, own_environment
from benchmarks.plots import Bars
from benchmarks.servers import ROOT, free_port, stop

NAME = "cold"
IMPORTS = 5
START_SECONDS, INSTALL_SECONDS, SETTLE_SECONDS = 90, 300, 5
HEAVIEST = 12
MIB = 1024 * 1024
IMPORT_GOAL_S, FIRST_PAGE_GOAL_S, MEMORY_GOAL_MIB = 2.0, 20.0, 400
"""Our own goals; nobody set any: what one waits for without wondering, and half of the smallest
machine that can be hired."""

IMPORT = "import wsgi"


def measure(bench: Bench) -> Measured:
    clone = bench.folder / "clone"
    steps = {"clone": _timed(lambda: _clone(clone))}
    steps["install"] = _timed(lambda: _install(clone))
    bench.wait_until_quiet("the first start")
    with _started(bench, clone) as (seconds, processes):
        steps["start_to_first_page"] = seconds
        time.sleep(bench.seconds(SETTLE_SECONDS))
        memory = _memory(processes())
    bench.wait_until_quiet("the imports")
    imports = [_timed(lambda: _python(clone, "-c", IMPORT)) for _ in range(IMPORTS + 1)][1:]
    return _measured(bench, steps, memory, median(imports), _heaviest(clone))


def _measured(
    bench: Bench, steps: dict[str, float], memory: list[dict[str, Any]], import_s: float,
    heaviest: dict[str, float],
) -> Measured:  # fmt: skip
    pss = sum(it["pss_MiB"] for it in memory)
    figures = {
        "seconds": {name: {"seconds": round(it, 2)} for name, it in steps.items()}
        | {"import_of_the_application": {"seconds": round(import_s, 2)}},
        "memory": memory,
        "import_ms_by_package": {name: {"ms": ms} for name, ms in heaviest.items()},
    }
    ratios = [
        Ratio("start to first page", round(steps["start_to_first_page"], 2), FIRST_PAGE_GOAL_S,
              False, "s"),
        Ratio("import of the application", round(import_s, 2), IMPORT_GOAL_S, False, "s"),
        Ratio("memory of the idle shop with fakestripe", round(pss), MEMORY_GOAL_MIB, False, "MiB"),
    ]  # fmt: skip
    notes = [
        "PSS counts what processes share once; RSS counts it for each of them.",
        "The install is pip's, with whatever its cache holds: with an empty one it takes as long as"
        " the network does.",
        "What a package takes to import is counted without what it imports from other packages.",
    ]
    return Measured(figures, ratios, notes, [Bars("Imports", "ms", heaviest)])


def _timed(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _clone(target: Path) -> None:
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"this is no git repository that can be cloned: {done.stderr.strip()}")


def _install(clone: Path) -> None:
    """By bin/run's own first step; what it makes is the clone's own .venv."""
    command = [sys.executable, "bin/setup", "run"]
    done = subprocess.run(
        command, cwd=clone, capture_output=True, text=True, timeout=INSTALL_SECONDS,
        env=own_environment(),
    )  # fmt: skip
    if done.returncode:
        raise Skipped(f"the packages could not be installed:\n{done.stderr.strip()[-500:]}")


Processes = Callable[[], list[psutil.Process]]


@contextmanager
def _started(bench: Bench, clone: Path) -> Iterator[tuple[float, Processes]]:
    """bin/run: the seconds until its first page, and a way to all its processes."""
    port, log = free_port(), bench.logs / "cold.log"
    environment = own_environment(PORT=str(port), FAKESTRIPE_PORT=str(free_port()))
    with log.open("wb") as file:
        begun = time.monotonic()
        shop = subprocess.Popen(
            ["bin/run"], cwd=clone, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _wait_for_page(f"http://localhost:{port}/", shop, log)
            yield time.monotonic() - begun, lambda: _all(shop.pid)
        finally:
            stop(shop)


def _wait_for_page(url: str, shop: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and shop.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"bin/run brought no page:\n{log.read_text()[-2000:]}")


def _all(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _memory(processes: list[psutil.Process]) -> list[dict[str, Any]]:
    rows = []
    for process in processes:
        used = process.memory_full_info()
        rows.append(
            {
                "process": _role(" ".join(process.cmdline())),
                "rss_MiB": round(used.rss / MIB, 1),
                "pss_MiB": round(used.pss / MIB, 1),
            }
        )
    return sorted(rows, key=lambda row: -row["pss_MiB"])


def _role(command: str) -> str:
    """What a process of bin/run is, by its command."""
    roles = {
        "gunicorn": "web",
        "fakestripe": "fakestripe",
        " worker": "worker",
        "bin/start": "starter",
    }
    return next((role for word, role in roles.items() if word in command), "shell")


def _python(clone: Path, *arguments: str) -> str:
    """Run the clone's Python; what it wrote to stderr."""
    done = subprocess.run(
        [clone / ".venv/bin/python", *arguments], cwd=clone, capture_output=True, text=True,
        env=own_environment(),
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the application cannot be imported:\n{done.stderr[-2000:]}")
    return done.stderr


def _heaviest(clone: Path) -> dict[str, float]:
    """The packages that take longest to import, in milliseconds."""
    spent: dict[str, int] = {}
    for line in _python(clone, "-X", "importtime", "-c", IMPORT).splitlines():
        found = re.match(r"import time: +(\d+) \| +\d+ \| +(\w+)", line)
        if found:
            spent[found[2]] = spent.get(found[2], 0) + int(found[1])
    most = sorted(spent.items(), key=lambda item: -item[1])[:HEAVIEST]
    return {name: round(microseconds / 1000, 1) for name, microseconds in most}
