"""Documents and code say the same: every setting, command, event and movement stands in them."""

import ast
import re
import tomllib

import click
import pytest
from flask import Flask

from storefront import handlers, inbox, stripe_gateway
from storefront.config import ROOT, Config
from storefront.ledger import MOVEMENTS
from storefront.ledger.movements import SYSTEM_ACCOUNTS
from storefront.web.webhooks import MAXIMUM_EVENT_BYTES

README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
WEBHOOKS = (ROOT / "docs/webhooks.md").read_text()
LEDGER = (ROOT / "docs/ledger.md").read_text()
FLASKS_OWN = {"run", "shell", "routes", "db"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def settings_read() -> set[str]:
    """Names of settings that config reads: its texts in capitals. (What the package exports is
    named in capitals, too.)"""
    texts = [
        node.value
        for file in (ROOT / "storefront/config").glob("[!_]*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
    ]
    return {it for it in texts if isinstance(it, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", it)}


def settings_of_programs() -> set[str]:
    """Names that the start scripts and gunicorn read from the environment."""
    found: set[str] = set()
    for name in ("gunicorn.conf.py", "storefront/cli.py"):
        text = (ROOT / name).read_text()
        found |= set(re.findall(r"(?:environ(?:\.get)?|settings\.get)[\[(]\"([A-Z_]{4,})\"", text))
    return found


def commands(group: click.Group, prefix: str = "flask") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        path = f"{prefix} {name}"
        found |= commands(command, path) if isinstance(command, click.Group) else {path: command}
    return found


def test_settings_are_found_at_all(database_url: str) -> None:
    assert {"STRIPE_SECRET_KEY", "DATABASE_URL", "APP_URL", "STOREFRONT_ENV"} <= settings_read()
    assert len(settings_read()) >= len(Config.__dataclass_fields__) - 3


def test_every_setting_is_in_the_readme(database_url: str) -> None:
    known = settings_read() | settings_of_programs()
    assert {name for name in known if f"`{name}`" not in README} == set()


def test_every_setting_is_in_the_example(database_url: str) -> None:
    """As `NAME=` or `# NAME=`: a line that can be uncommented."""
    named = set(re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert settings_read() | settings_of_programs() <= named
    assert {name for name in named if f"`{name}`" not in README} == set(), "and the other way round"


def test_the_example_sets_nothing_by_itself(database_url: str) -> None:
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


def test_every_command_is_in_the_readme(app: Flask) -> None:
    own = {
        path: command
        for path, command in commands(app.cli).items()
        if path.split()[1] not in FLASKS_OWN
    }
    assert "flask ledger verify" in own
    assert {path for path in own if f"`{path}" not in README} == set()
    assert {path for path, command in own.items() if not command.get_short_help_str()} == set()


def test_every_command_in_the_readme_exists(app: Flask) -> None:
    named = set(re.findall(r"`(flask [a-z][a-z -]+[a-z])", README))
    known = commands(app.cli)
    assert {it for it in named if it not in known and not it.startswith("flask db ")} == set()


def test_every_handled_event_has_its_row(database_url: str) -> None:
    """| `type` | `handler` | effect |"""
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| `(\w+)` \| \S", WEBHOOKS, re.MULTILINE))
    assert rows == {type: handler.__name__ for type, handler in handlers.HANDLERS.items()}


def test_every_state_of_an_event_is_explained(database_url: str) -> None:
    for state in ("handled", "ignored", "failed", "parked"):
        assert f"**{state}**" in WEBHOOKS


def test_the_numbers_of_the_webhook_are_the_documented_ones(database_url: str) -> None:
    assert f"{MAXIMUM_EVENT_BYTES // 1024} KiB" in WEBHOOKS
    assert f"{stripe_gateway.SIGNATURE_TOLERANCE_SECONDS} seconds" in WEBHOOKS
    words = {10: "ten"}
    assert f"after {words[inbox.MAXIMUM_ATTEMPTS]} failed attempts" in WEBHOOKS


def test_every_movement_has_its_row(database_url: str) -> None:
    """| `code` | from | to | may owe | when |"""
    row = r"^\| `(\w+)` \| `?(\w+)`? \| `?(\w+)`? \| (\w*) ?\| \S"
    rows = re.findall(row, LEDGER, re.MULTILINE)
    expected = {
        (it.code, it.account, "wallet", "yes" if it.may_owe else "")
        if it.direction == "in"
        else (it.code, "wallet", it.account, "yes" if it.may_owe else "no")
        for it in MOVEMENTS.values()
    }
    assert set(rows) == expected


def test_every_system_account_is_named(database_url: str) -> None:
    assert {name for name in SYSTEM_ACCOUNTS if f"`{name}`" not in LEDGER} == set()


def test_links_between_documents_lead_somewhere(database_url: str) -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
            if not target.startswith(("http://", "https://")):
                assert (document.parent / target).exists(), f"{document.name} -> {target}"


def test_versions_are_pinned(database_url: str) -> None:
    """Each line a name and one exact version, with its reason or in the part for what they need."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.match(r"^[A-Za-z0-9_.\[\]-]+==[0-9][^ ]*( ;.*)?(  #.*)?", line), line


def test_warnings_are_errors(database_url: str) -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
