"""flask catalog plan and apply, as an operator meets them."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from storefront.config import Config
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import an_app, closing, some_settings

SECRET = "STRIPE_WEBHOOK_SECRET="


def runs(app: Flask, *arguments: str, **options: Any) -> Result:
    return app.test_cli_runner().invoke(args=["catalog", *arguments], **options)


def test_plan_tells_and_changes_nothing(app: Flask, fakestripe: FakeStripe) -> None:
    for _ in range(2):
        done = runs(app, "plan")
        assert done.exit_code == 2
        assert "create price premium_plan_monthly: $49.00 each month\n" in done.output
        assert "create webhook endpoint http://localhost:8000/stripe/webhook: " in done.output
        assert done.output.endswith("7 to do, 0 as the catalogue says\n")
    assert fakestripe.events() == []
    assert fakestripe.client().v1.webhook_endpoints.list().data == []


def test_apply_does_it_and_tells_the_secret_once(app: Flask) -> None:
    done = runs(app, "apply")
    assert done.exit_code == 0
    assert "create product premium_plan: Premium\n" in done.output
    assert done.output.count(f"\n{SECRET}whsec_") == 1
    assert done.output.endswith("7 done, 0 left for you\n")
    again = runs(app, "apply")
    assert (again.exit_code, SECRET in again.output) == (0, False)
    note, last = again.output.splitlines()
    assert last == "0 done, 0 left for you"
    assert note.startswith("note webhook endpoint http://localhost:8000/stripe/webhook: ")
    assert note.endswith("into .env, or have another: flask catalog apply --new-secret")
    planned = runs(app, "plan")
    assert planned.exit_code == 0
    assert planned.output.endswith("0 to do, 7 as the catalogue says\n")


def test_the_secret_is_written_and_then_known(
    app: Flask, settings: Config, tmp_path: Path, fakestripe: FakeStripe
) -> None:
    file = tmp_path / ".env"
    done = runs(app, "apply", "--write-env", str(file))
    assert (done.exit_code, "whsec_" in done.output) == (0, False)
    assert "wins" not in done.output
    first = file.read_text()
    assert first.startswith(f"{SECRET}whsec_")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(f"# ours\nPROJECT_NAME=Shop\n{first}")
    with closing(an_app(configured_by(file, settings))) as told:
        assert "note" not in runs(told, "plan").output
        (tmp_path / ".env.local").write_text(f"{SECRET}whsec_older\n")
        renewed = runs(told, "apply", "--new-secret", "--write-env", str(file))
    assert renewed.exit_code == 0
    assert ".env.local sets STRIPE_WEBHOOK_SECRET, too, and wins" in renewed.output
    new, old = file.read_text().splitlines()[-1].removeprefix(SECRET).split(",")
    assert f"{SECRET}{old}\n" == first, "what is under way is signed with it"
    assert new != old
    assert file.read_text().startswith("# ours\nPROJECT_NAME=Shop\n")
    assert len(fakestripe.client().v1.webhook_endpoints.list().data) == 1


def configured_by(file: Path, settings: Config) -> Config:
    """The settings of a start that reads this .env."""
    url = settings.database_url
    return some_settings(
        file.parent, url, STRIPE_API_BASE=settings.stripe_api_base, STRIPE_WEBHOOK_SECRET=""
    )


def test_a_file_that_cannot_be_written_is_told_before_anything_is_made(
    app: Flask, tmp_path: Path, fakestripe: FakeStripe
) -> None:
    done = runs(app, "apply", "--write-env", str(tmp_path / "nowhere" / ".env"))
    assert done.exit_code == 1
    assert "cannot be written to (No such file or directory); name a file such as" in done.output
    assert fakestripe.client().v1.webhook_endpoints.list().data == []


def test_for_machines(app: Flask) -> None:
    done = runs(app, "plan", "--json")
    assert done.exit_code == 2
    document = json.loads(done.output)
    assert document["differs"] is True
    assert document["actions"][0] == {
        "verb": "create", "kind": "product", "name": "standard_pack", "text": "Standard Pack",
    }  # fmt: skip
    applied = json.loads(runs(app, "apply", "--json").output)
    assert len(applied["done"]) == 7
    assert applied["webhook_secret"].startswith("whsec_")
    document = json.loads(runs(app, "plan", "--json").output)
    assert document["differs"] is False
    assert {action["verb"] for action in document["actions"]} == {"nothing", "note"}


def test_colour_is_for_terminals_that_want_it(app: Flask) -> None:
    assert "\x1b[32mcreate product" in runs(app, "plan", color=True).output
    assert "\x1b" not in runs(app, "plan", color=True, env={"NO_COLOR": "1"}).output


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_trouble_is_told_in_a_line(
    app: Flask, gateway: StripeGateway, fakestripe: FakeStripe, command: str
) -> None:
    fakestripe.control("faults", {"kind": "drop"})
    done = runs(app, command)
    assert done.exit_code == 1
    assert done.output.startswith("Error: The payment service does not answer.")
    assert done.output.count("\n") == 1
