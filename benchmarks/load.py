"""wrk: 16 connections from two threads, on loopback."""

import json
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
THREADS = 2
SPARE_SECONDS = 30
FINISHED = "FINISHED"


class LoadFailed(Exception):
    """Something was answered with another status than 200, or not at all."""


@dataclass(frozen=True)
class Load:
    """What wrk saw; `answered` counts answers, all of them 200."""

    per_second: float
    p50_ms: float
    p99_ms: float
    answered: int


def steady(
    url: str,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    headers: dict[str, str] | None = None,
) -> Load:
    """GET one address for so long. Raises LoadFailed when anything but 200 came back."""
    options = [f"-H{name}: {value}" for name, value in (headers or {}).items()]
    return _run([*options, "-s", str(HERE / "steady.lua"), url], seconds, connections)


def each_once(url: str, requests: Path, seconds: float, *, connections: int = CONNECTIONS) -> Load:
    """POST every signed event of the file (signature, tab, body) once; the end is the last answer,
    `seconds` the patience. Raises LoadFailed."""
    script = ["-s", str(HERE / "webhook.lua"), url, "--", str(requests)]
    return _run(script, seconds, connections)


def _run(arguments: list[str], seconds: float, connections: int) -> Load:
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    # Longer than any of these answers takes: an answer that is late is a slow one, not a lost one.
    command += ["--timeout", "30s", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
        try:
            output = _read(wrk)
            wrk.wait(SPARE_SECONDS)
        finally:
            if wrk.poll() is None:
                wrk.kill()
    return _result(output)


def _read(wrk: "subprocess.Popen[str]") -> str:
    """What it prints. Told by both threads that they are done, it is asked to end: by itself it
    would sit out its time."""
    assert wrk.stdout is not None
    lines, finished = [], 0
    for line in wrk.stdout:
        lines.append(line)
        finished += line.strip() == FINISHED
        if finished == THREADS:
            wrk.send_signal(signal.SIGINT)
            finished += 1
    return "".join(lines)


def _result(output: str) -> Load:
    found = [line for line in output.splitlines() if line.startswith("{")]
    facts = json.loads(found[0]) if found else {"bad": 1}
    if facts.pop("bad") or not facts["answered"]:
        raise LoadFailed(f"not everything was answered with 200:\n{output}")
    return Load(**facts)


def require() -> None:
    """Raises LoadFailed when there is no wrk."""
    if shutil.which("wrk") is None:
        raise LoadFailed("there is no wrk (on Debian and Ubuntu: apt-get install wrk)")
