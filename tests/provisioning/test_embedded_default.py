"""bin/run without any key: once it says where the shop is, everything is for sale and in order."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storefront.config import ROOT
from tests.support.served import eventually
from tests.support.shop import clean_environment, free_port


def test_everything_is_for_sale_at_the_first_start(tmp_path: Path) -> None:
    environment = an_environment(tmp_path)
    with announced(environment) as said:
        url = f"http://127.0.0.1:{environment['PORT']}/readyz"
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert json.load(answer)["catalog"] == []
        assert "catalog apply failed" not in said
        eventually(lambda: doctor_says(environment) == [], "nothing but OK")


def doctor_says(environment: dict[str, str]) -> list[str]:
    """What is not OK. The worker begins beside the shop, and may come after it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE)
    *lines, last = done.stdout.splitlines()
    assert last.startswith("OK: ")
    return [line for line in lines if not line.startswith("OK ")]


def an_environment(folder: Path) -> dict[str, str]:
    """Nothing configured but where to run."""
    return clean_environment() | {
        "STOREFRONT_INSTANCE": str(folder),
        "PORT": str(free_port()),
        "FAKESTRIPE_PORT": str(free_port()),
    }


@contextmanager
def announced(environment: dict[str, str]) -> Iterator[str]:
    """What bin/run calls when the packages are there, once it has said where the shop is; what was
    said until then."""
    process = subprocess.Popen(
        [sys.executable, "bin/start"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops everything" in line:
                break
        else:
            raise AssertionError(f"it ended:\n{''.join(lines)}")
        yield "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=60)
