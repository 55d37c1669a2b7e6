"""The files that others run: what they name is there, and no secret is in them. (No test builds the
image: that needs a container engine and the network.)"""

import configparser
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask import Flask
from honcho.environ import parse_procfile

from storefront.config import ROOT
from storefront.work import SCHEDULE
from tests.fakestripe.harness import FakeStripe
from tests.support.served import served_shop

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DEPLOYING = (ROOT / "docs/deploying.md").read_text()
SECRETS = re.compile(r"(?:sk|rk|pk)_(?:live|test)_\w|whsec_\w|PASSWORD: [^\s$]|SECRET_KEY=\w")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of this name, continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", joined, re.MULTILINE)


def units() -> Iterator[configparser.SectionProxy]:
    """The [Service] sections of the systemd units in the document."""
    for text in re.findall(r"```ini\n(.+?)```", DEPLOYING, re.DOTALL):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(text)
        yield parser["Service"]


def started() -> Iterator[list[str]]:
    """Every command of ours that any of the files starts."""
    for command in parse_procfile((ROOT / "Procfile").read_text()).processes.values():
        yield shlex.split(command)
    for service in COMPOSE["services"].values():
        if "command" in service:
            yield service["command"]
    yield yaml.safe_load(instructions("CMD")[-1])
    for unit in units():
        for key in ("ExecStartPre", "ExecStart"):
            if key in unit:
                yield shlex.split(unit[key].replace("/opt/storefront/.venv/bin/", ""))


def test_every_command_exists(app: Flask) -> None:
    commands = list(started())
    assert len(commands) >= 9
    for program, *arguments in commands:
        if program == "gunicorn":
            assert arguments == ["--config", "gunicorn.conf.py", "wsgi:app"]
            continue
        assert program == "flask"
        names = [it for it in arguments if it not in ("--app", "wsgi")]
        group: click.Command = app.cli
        for name in names:
            if not isinstance(group, click.Group):
                break  # an argument of the command
            group = group.commands[name]
        assert not isinstance(group, click.Group), names


def test_what_the_image_copies_is_there_and_let_through(database_url: str) -> None:
    copied = [line.split()[:-1] for line in instructions("COPY") if "--from" not in line]
    sources = [source for line in copied for source in line]
    assert {"storefront", "templates", "static", "migrations", "wsgi.py"} <= set(sources)
    assert [it for it in sources if not (ROOT / it).exists()] == []
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(let_through) == set(sources)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*", "all else stays outside"


def test_the_image_runs_as_nobody_special_and_is_pinned(database_url: str) -> None:
    assert instructions("USER") == ["shop"]
    bases = {line.split()[0] for line in instructions("FROM")}
    assert len(bases) == 1
    images = [*bases, COMPOSE["services"]["database"]["image"]]
    assert all(re.fullmatch(r"[a-z]+:[0-9][0-9.]*(-slim)?-bookworm", it) for it in images)
    assert images[0].startswith("python:3.11-"), "the oldest that is supported"


def test_no_file_holds_a_secret(database_url: str) -> None:
    for name in ("Dockerfile", "compose.yaml", "Procfile", ".dockerignore", "docs/deploying.md"):
        assert SECRETS.findall((ROOT / name).read_text()) == [], name


def test_shop_and_worker_wait_for_the_migrations(database_url: str) -> None:
    services = COMPOSE["services"]
    assert set(services) == {"web", "worker", "migrations", "database"}
    for name in ("web", "worker"):
        waits = services[name]["depends_on"]
        assert waits == {"migrations": {"condition": "service_completed_successfully"}}
        assert services[name]["environment"]["DATABASE_URL"].startswith("postgresql://")
        assert services[name]["read_only"] is True
    assert services["migrations"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    port = services["web"]["environment"]["PORT"]
    assert services["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert instructions("EXPOSE") == [port]


def test_settings_named_in_the_files_are_settings(database_url: str) -> None:
    known = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"\b([A-Z][A-Z_]+)=", " ".join(instructions("ENV"))))
    named |= set(COMPOSE["services"]["web"]["environment"])
    for unit in units():
        named |= {word.split("=")[0] for word in unit["Environment"].split()}
    pythons = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "FLASK_APP"}
    assert {it for it in named - pythons if f"{it}=" not in known} == set()


def test_the_health_check_tells_who_answers(
    database_url: str, tmp_path: Path, fakestripe: FakeStripe
) -> None:
    assert instructions("HEALTHCHECK")[0].endswith('CMD ["python", "bin/healthy"]')
    with served_shop(tmp_path, database_url, fakestripe) as shop:
        port = shop.url.rpartition(":")[2]
        assert healthy(APP_URL=shop.url, PORT=port).returncode == 0
        wrong = healthy(APP_URL="https://elsewhere.example", PORT=port)
        assert (wrong.returncode, "elsewhere.example" in wrong.stderr) == (1, True)
    assert healthy(APP_URL=shop.url, PORT=port).returncode == 1


def healthy(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(ROOT / "bin/healthy")]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)


def test_a_worker_is_given_the_time_to_end_its_job(database_url: str) -> None:
    assert SCHEDULE
    grace = COMPOSE["services"]["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= 60
    assert all(int(unit["TimeoutStopSec"]) >= 30 for unit in units())
