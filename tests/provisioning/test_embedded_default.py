"""bin/run without any key: once it says where the shop is, everything is for sale."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storefront.config import ROOT
from tests.support.shop import clean_environment, free_port


def test_everything_is_for_sale_at_the_first_start(tmp_path: Path) -> None:
    with announced(tmp_path) as (url, said):
        with urllib.request.urlopen(f"{url}/readyz", timeout=60) as answer:
            assert json.load(answer)["catalog"] == []
        assert "catalog apply failed" not in said


@contextmanager
def announced(folder: Path) -> Iterator[tuple[str, str]]:
    """What bin/run calls when the packages are there, once it has said where the shop is; the
    shop's address, and what was said until then."""
    port = free_port()
    environment = clean_environment() | {
        "STOREFRONT_INSTANCE": str(folder),
        "PORT": str(port),
        "FAKESTRIPE_PORT": str(free_port()),
    }
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
        yield f"http://127.0.0.1:{port}", "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=60)
