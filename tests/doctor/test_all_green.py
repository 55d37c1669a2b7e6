"""From a clone to a configured account by the guide alone."""

import json
import re

from storefront.config import ROOT
from storefront.doctor import CHECKS
from tests.doctor.conftest import Operated, documented_commands


def test_the_documented_way_ends_all_green(operated: Operated) -> None:
    outputs = {line: result for line, result in operated.outputs.items() if result is not None}
    assert [line for line, result in outputs.items() if result.exit_code] == []
    applied = outputs["bin/flask catalog apply --write-env .env"].output
    assert applied.endswith("7 done, 0 left for you\n")
    told = outputs["bin/flask doctor"].output.splitlines()
    expected = [check.name for check in CHECKS if not check.live]
    assert [line.split(": ")[0].removeprefix("OK").strip() for line in told[:-1]] == expected
    assert told[-1] == f"OK: {len(expected)}, warnings: 0, failures: 0"


def test_the_readme_says_the_same_lines() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [line for line in documented_commands() if line not in readme] == []


def test_for_machines_and_by_exit_code(operated: Operated) -> None:
    operated.runs("worker", "--once")  # other tests may have taken their time
    done = operated.runs("doctor", "--json")
    document = json.loads(done.output)
    assert (done.exit_code, document["severity"]) == (0, "ok")
    assert document["checks"][0] == {
        "check": "key modes",
        "severity": "ok",
        "found": "two test keys, STOREFRONT_ENV=development",
        "mend": "",
    }


def test_the_going_live_list_stops_who_is_not_ready(operated: Operated) -> None:
    done = operated.runs("doctor", "--live")
    assert done.exit_code == 2
    told = {line.partition(": ")[0]: line for line in done.output.splitlines()}
    assert "failure  key modes" in told
    assert "put the live keys into .env" in told["failure  key modes"]
    assert {check.name for check in CHECKS} <= {name[9:] for name in told}


def test_every_check_is_explained() -> None:
    guide = (ROOT / "docs/troubleshooting.md").read_text()
    first_cells = re.findall(r"^\| ([^|]+) \|", guide, re.MULTILINE)
    explained = {name for cell in first_cells for name in cell.split(", ")}
    assert {check.name for check in CHECKS} <= explained
