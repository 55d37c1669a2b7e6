"""Lighthouse on the shop's pages with a phone's profile: its scores, medians of three runs.

The shop is started as bin/run starts it, with fakestripe and the demo customer, behind no proxy.
Lighthouse is installed by npm into a folder of this run; the browser is the system's Chromium.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.customer import sign_in
from benchmarks.frame import Bench, Measured, Ratio, Skipped, median, own_environment
from benchmarks.plots import Bars
from benchmarks.servers import ROOT, free_port, running

NAME = "lighthouse"
PACKAGE = "lighthouse@13.5.0"
PAGES = {"/": False, "/top-up": True, "/billing": True}
"""Each page, and whether the demo customer is signed in."""

GOALS = {"performance": 95, "accessibility": 95, "best-practices": 95}
ALSO = ("seo",)
RUNS = 3
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"
INSTALL_SECONDS, RUN_SECONDS, START_SECONDS = 240, 120, 90


@dataclass(frozen=True)
class Tool:
    node: str
    script: Path
    chromium: str


@dataclass(frozen=True)
class Demo:
    url: str
    cookie: str


def measure(bench: Bench) -> Measured:
    tool = _install(bench)
    found: dict[str, list[dict[str, Any]]] = {page: [] for page in PAGES}
    with _demo_shop(bench) as demo:
        for _ in range(1 if bench.quick else RUNS):
            for page in PAGES:
                bench.wait_until_quiet(f"Lighthouse, {page}")
                found[page].append(_audit(bench, tool, demo, page))
    return _measured(found)


def _measured(found: dict[str, list[dict[str, Any]]]) -> Measured:
    scores = {page: _scores(reports) for page, reports in found.items()}
    times = {page: _times(reports) for page, reports in found.items()}
    ratios = [
        Ratio(f"{page}, {category.replace('-', ' ')}", scores[page][category], goal, True, "points")
        for page in PAGES
        for category, goal in GOALS.items()
    ]
    performance = {page: scores[page]["performance"] for page in PAGES}
    plot = Bars("Lighthouse, performance on a phone", "of 100 points", performance)
    figures = {"scores": scores, "times": times, "raw": {p: _failed(r) for p, r in found.items()}}
    note = f"{PACKAGE}: a simulated phone with slow 4G, no proxy in front of the shop."
    return Measured(figures, ratios, [note], [plot])


def _scores(reports: list[dict[str, Any]]) -> dict[str, float]:
    return {
        category: median([round(it["categories"][category]["score"] * 100) for it in reports])
        for category in (*GOALS, *ALSO)
    }


def _times(reports: list[dict[str, Any]]) -> dict[str, float]:
    """What the performance score is made of, as the simulated phone sees it."""
    audits = {
        "first_contentful_paint_ms": "first-contentful-paint",
        "largest_contentful_paint_ms": "largest-contentful-paint",
        "total_blocking_time_ms": "total-blocking-time",
        "speed_index_ms": "speed-index",
        "layout_shift": "cumulative-layout-shift",
    }
    return {
        name: round(median([it["audits"][audit]["numericValue"] for it in reports]), 3)
        for name, audit in audits.items()
    }


def _failed(reports: list[dict[str, Any]]) -> list[str]:
    """What it found wanting in the last run, in its words."""
    audits = reports[-1]["audits"].values()
    wanting = [it for it in audits if it["score"] is not None and it["score"] < 1]
    return sorted(f"{it['title']}: {it.get('displayValue', it['score'])}" for it in wanting)


def _install(bench: Bench) -> Tool:
    node, npm = shutil.which("node"), shutil.which("npm")
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not (node and npm):
        raise Skipped("there is no Node with npm here (on Debian and Ubuntu: apt install npm)")
    if chromium is None:
        raise Skipped("there is no Chromium here (bin/chromium installs one)")
    bench.say(f"  installing {PACKAGE}")
    folder = bench.folder / "lighthouse"
    folder.mkdir()
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(
            [*command, PACKAGE], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Skipped(f"npm took more than {INSTALL_SECONDS} seconds to install it") from None
    if done.returncode:
        raise Skipped(f"npm could not install it: {done.stderr.strip()[:200]}")
    return Tool(node, folder / "node_modules/lighthouse/cli/index.js", chromium)


@contextmanager
def _demo_shop(bench: Bench) -> Iterator[Demo]:
    """The shop, a worker and fakestripe, on SQLite in a folder of their own."""
    port, log = free_port(), bench.logs / "demo.log"
    environment = own_environment(
        PORT=str(port),
        FAKESTRIPE_PORT=str(free_port()),
        STOREFRONT_INSTANCE=str(bench.folder / "demo"),
        PYTHONUNBUFFERED="1",
    )
    with running([sys.executable, "bin/start"], environment, log):
        email, password = _announced(log)
        url = f"http://localhost:{port}"
        yield Demo(url, sign_in(url, email, password))


def _announced(log: Path) -> tuple[str, str]:
    """Who may sign in, as bin/start says when everything is up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = re.search(r"Sign in +(\S+) +(\S+)", log.read_text())
        if found:
            return found[1], found[2]
        time.sleep(0.1)
    raise RuntimeError(f"the shop did not start:\n{log.read_text()[-2000:]}")


def _audit(bench: Bench, tool: Tool, demo: Demo, page: str) -> dict[str, Any]:
    report = bench.folder / "report.json"
    command = [tool.node, str(tool.script), demo.url + page, "--quiet", "--form-factor=mobile"]
    command += ["--output=json", f"--output-path={report}", f"--chrome-flags={FLAGS}"]
    if PAGES[page]:
        headers = bench.folder / "headers.json"
        headers.write_text(json.dumps({"Cookie": demo.cookie}))
        command.append(f"--extra-headers={headers}")
    environment = os.environ | {"CHROME_PATH": tool.chromium}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed on {page}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(report.read_text())
    return found
