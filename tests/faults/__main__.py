"""`bin/chaos`: the whole shop, customers, and faults, for as long as one likes."""

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.fakestripe.harness import running_fakestripe
from tests.faults import plan as plans
from tests.faults import telling
from tests.faults.processes import Nursery, a_nursery
from tests.faults.run import Report, Stage, run
from tests.faults.shops import SIZES

DATABASES = ("postgresql", "sqlite")


def main() -> int:
    wanted = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidies up as after Ctrl-C
    chosen = DATABASES if wanted.database == "both" else (wanted.database,)
    again = f"bin/chaos --minutes {wanted.minutes:g} --seed {wanted.seed}"
    if wanted.database != "both":
        again += f" --database {wanted.database}"
    _say(again)
    passed = True
    try:
        with a_nursery() as nursery:
            for database in chosen:
                minutes = wanted.minutes / len(chosen)
                passed &= not _one(database, minutes, wanted.seed, nursery, wanted.keep).wrong
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    _say("" if passed else f"\nonce more: {again}")
    return 0 if passed else 1


def _one(database: str, minutes: float, seed: int, nursery: Nursery, keep: bool) -> Report:
    """One run on one database, told as it goes; logs and databases stay behind when something is
    wrong."""
    plan = plans.draw(seed, minutes, database)
    _say(f"\n== {database}, {minutes:g} minutes\n", *plans.lines(plan), "")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        with running_fakestripe(folder) as stripe:
            stage = Stage(folder, stripe, nursery, database, SIZES[database])
            report = run(stage, plan, seed)
        _say(*telling.lines(report))
        keep |= bool(report.wrong)
    except Exception:
        keep = True
        raise
    finally:
        if keep:
            _say(f"logs and databases are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return report


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=10.0, help="of faults; 10")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--database", choices=("both", *DATABASES), default="both")
    parser.add_argument("--keep", action="store_true", help="leave logs and databases there")
    return parser.parse_args()


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 0 < minutes <= 24 * 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes from 0.5 to 1440")
    return minutes


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
