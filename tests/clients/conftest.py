"""The clients, or one clear reason why their tests skip."""

from pathlib import Path

import pytest

from tests.clients.official import Cli, not_here
from tests.fakestripe.harness import FakeStripe


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    why = not_here()
    if why is not None:
        pytest.skip(why)


@pytest.fixture
def cli(installed: None, tmp_path: Path, fakestripe: FakeStripe) -> Cli:
    # The CLI refuses http://localhost as no address of an API.
    return Cli(fakestripe.url.replace("localhost", "127.0.0.1"), tmp_path)
