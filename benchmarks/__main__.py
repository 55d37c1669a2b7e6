"""bin/bench: run benchmarks, print their figures and ratios, keep them, and write the page."""

import argparse
import importlib
import json
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import load, machine, page, plots
from benchmarks.frame import Bench, Measured, Ratio, Skipped


def main() -> None:
    options = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: all is stopped
    failed = [name for name in options.names if not _run(name, options)]
    # A quick run proves that everything works; its figures are not worth a page.
    results = page.RESULTS / "quick" if options.quick else page.RESULTS
    written = results / "performance.md" if options.quick else page.PAGE
    page.write(results, written)
    print(f"\n{written.relative_to(page.ROOT)} is written.")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    names = ", ".join(page.NAMES)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{names}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="short: shows that everything works")
    parser.add_argument("--rounds", type=int, help="3, or 1 when quick")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in page.NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {names}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    options.names = options.names or page.NAMES
    return options


def _run(name: str, options: argparse.Namespace) -> bool:
    """Run one benchmark, print and keep what it found; False when it failed. Others go on."""
    print(f"\n==> {name}", flush=True)
    began = time.monotonic()
    try:
        with Bench(quick=options.quick, rounds=options.rounds) as bench:
            described = machine.describe(bench.folder)
            measured = importlib.import_module(f"benchmarks.{name}").measure(bench)
    except Skipped as reason:
        print(f"SKIPPED {name}: {reason}", flush=True)
        return True
    except (RuntimeError, AssertionError, load.LoadFailed) as error:
        print(f"FAILED {name}: {error}", flush=True)
        return False
    result = {
        "name": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "quick": bench.quick,
        "rounds": bench.rounds,
        "seconds": round(time.monotonic() - began),
        "machine": described,
        "load": bench.load,
        **_facts(measured),
    }
    folder = page.RESULTS / "quick" if bench.quick else page.RESULTS
    _keep(folder / f"{name}.json", result)
    _print(measured, result)
    return True


def _facts(measured: Measured) -> dict[str, Any]:
    return {
        "figures": measured.figures,
        "ratios": [asdict(ratio) | {"met": ratio.met} for ratio in measured.ratios],
        "notes": measured.notes,
        "plots": [plots.stored(plot) for plot in measured.plots],
    }


def _keep(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def _print(measured: Measured, result: dict[str, Any]) -> None:
    shown = {name: it for name, it in measured.figures.items() if name != "raw"}
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    for note in measured.notes:
        print(f"  {note}")
    for ratio in measured.ratios:
        print(_line(ratio))
    about = result["machine"]
    print(f"  {about['processor']}, {about['cores']} cores, sync {about['sync_microseconds']} µs")


def _line(ratio: Ratio) -> str:
    sign, unit = ("≥" if ratio.at_least else "≤"), (f" {ratio.unit}" if ratio.unit else "")
    state = "met" if ratio.met else "NOT MET"
    found, goal = plots.number(ratio.value), plots.number(ratio.goal)
    return f"  {ratio.name}: {found}{unit} (goal {sign} {goal}{unit}: {state})"


try:
    main()
except KeyboardInterrupt:
    sys.exit("\nstopped")
