"""flask catalog plan and apply, as an operator meets them."""

import json

import pytest
from flask import Flask

from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.harness import FakeStripe

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_plan_tells_and_changes_nothing(app: Flask, fakestripe: FakeStripe) -> None:
    for _ in range(2):
        done = app.test_cli_runner().invoke(args=["catalog", "plan"])
        assert done.exit_code == 2
        assert "create price premium_plan_monthly: $49.00 each month\n" in done.output
        assert done.output.endswith("5 to do, 0 as the catalogue says\n")
    assert fakestripe.events() == []


def test_apply_does_it(app: Flask) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["catalog", "apply"])
    assert done.exit_code == 0
    assert "create product premium_plan: Premium\n" in done.output
    assert done.output.endswith("5 done, 0 left for you\n")
    again = runner.invoke(args=["catalog", "apply"])
    assert (again.exit_code, again.output) == (0, "0 done, 0 left for you\n")
    assert runner.invoke(args=["catalog", "plan"]).exit_code == 0


def test_plan_for_machines(app: Flask) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["catalog", "plan", "--json"])
    assert done.exit_code == 2
    document = json.loads(done.output)
    assert document["differs"] is True
    assert document["actions"][0] == {
        "verb": "create", "kind": "product", "name": "standard_pack", "text": "Standard Pack",
    }  # fmt: skip
    runner.invoke(args=["catalog", "apply"])
    document = json.loads(runner.invoke(args=["catalog", "plan", "--json"]).output)
    assert document["differs"] is False
    assert {action["verb"] for action in document["actions"]} == {"nothing"}


def test_colour_is_for_terminals(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["catalog", "plan"], color=True)
    assert "\x1b[32mcreate product" in done.output


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_trouble_is_told_in_a_line(
    app: Flask, gateway: StripeGateway, fakestripe: FakeStripe, command: str
) -> None:
    fakestripe.control("faults", {"kind": "drop"})
    done = app.test_cli_runner().invoke(args=["catalog", command])
    assert done.exit_code == 1
    assert done.output.startswith("Error: The payment service does not answer.")
    assert done.output.count("\n") == 1
