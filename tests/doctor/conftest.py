"""A shop that an operator has set up by docs/going-live.md, command by command, at an empty
fakestripe account: everything is in order. It is set up once for all tests of this folder, each of
which leaves it as it was."""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from werkzeug.serving import make_server

from storefront import cli_doctor, config, doctor
from storefront.config import ROOT, Config
from storefront.doctor import Finding, Visit
from tests.fakestripe.harness import FakeStripe, running_fakestripe
from tests.support.apps import an_app, closing
from tests.support.served import Door, QuietHandler, serving

GUIDE = ROOT / "docs/going-live.md"
KEYS = {"STRIPE_SECRET_KEY": "sk_test_ofAnOperator", "STRIPE_PUBLISHABLE_KEY": "pk_test_ofThem"}


def documented_commands() -> list[str]:
    """The block of commands under the heading "Five lines"."""
    block = re.search(r"## Five lines\n.*?```\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block is not None
    return [line.partition("#")[0].strip() for line in block[1].splitlines()]


@dataclass
class Operated:
    """The shop, its folder, and what the commands said."""

    folder: Path
    url: str
    stripe: FakeStripe
    outputs: dict[str, Result] = field(default_factory=dict)
    app: Flask = field(init=False)

    @property
    def settings(self) -> Config:
        """As a start reads them now."""
        return config.load({}, root=self.folder)

    def visit(self, *, live: bool = False, **changes: Any) -> Visit:
        """The doctor's, with other settings (by the names of Config) or other parts."""
        visit = cli_doctor.a_visit(live)
        known = [name for name in changes if hasattr(visit.config, name)]
        settings = {name: changes.pop(name) for name in known}
        return replace(visit, config=replace(visit.config, **settings), **changes)

    def finds(self, check: str, **changes: Any) -> Finding:
        """What one check says."""
        [found] = [each for each in doctor.CHECKS if each.name == check]
        with self.app.app_context():
            return doctor.look(found, self.visit(**changes))

    def runs(self, *arguments: str) -> Result:
        return self.app.test_cli_runner().invoke(args=list(arguments))


@pytest.fixture(scope="session")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    folder = tmp_path_factory.mktemp("clone")
    with ExitStack() as stack:
        stripe = stack.enter_context(running_fakestripe(folder))
        door = Door()
        server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=QuietHandler)
        shop = Operated(folder, f"http://127.0.0.1:{server.server_port}", stripe)
        for line in documented_commands():
            if line == "bin/run":
                shop.app = stack.enter_context(closing(an_app(shop.settings)))
                stack.enter_context(serving(server, door, shop.app))
                shop.outputs[line] = shop.runs("worker", "--once")
            else:
                shop.outputs[line] = _does(shop, *shlex.split(line))
        yield shop


def _does(shop: Operated, program: str, *arguments: str) -> Result | None:
    """A line of the guide, in the clone's folder."""
    if program == "cp":
        shutil.copy(ROOT / arguments[0], shop.folder / arguments[1])
        _put_in(shop)
        return None
    assert program == "bin/flask"
    with closing(an_app(shop.settings)) as app, chdir(shop.folder):
        return app.test_cli_runner().invoke(args=list(arguments))


def _put_in(shop: Operated) -> None:
    """The two keys, and where Stripe and the shop are to be found in this test."""
    lines = KEYS | {
        "STRIPE_API_BASE": shop.stripe.url,
        "STRIPE_JS_URL": f"{shop.stripe.url}/endive/stripe.js",
        "APP_URL": shop.url,
        "CATALOG_PATH": str(ROOT / "catalog.toml"),
    }
    with (shop.folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
