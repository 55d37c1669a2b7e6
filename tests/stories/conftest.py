"""Stories run against the whole shop, on each database, in a real browser. Every one of them ends
with the same questions: was the console clean, is the ledger?"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    expect,
)

from tests.support.buyer import Buyer
from tests.support.shop import RunningShop

expect.set_options(timeout=15_000)  # patience on a busy machine; nothing is timed here
STRIPE_SAYS_NO = re.compile(r"Failed to load resource: .*\b402\b")
"""Chromium notes a declined confirmation, as it does with Stripe; no page can prevent that."""


@pytest.fixture(scope="session")
def sqlite_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    folder = tmp_path_factory.mktemp("shop-sqlite")
    yield from _running(folder, f"sqlite:///{folder}/shop.sqlite3")


@pytest.fixture(scope="session")
def postgresql_shop(
    tmp_path_factory: pytest.TempPathFactory, new_postgresql_database: Callable[[], str]
) -> Iterator[RunningShop]:
    folder = tmp_path_factory.mktemp("shop-postgresql")
    yield from _running(folder, new_postgresql_database())


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Iterator[RunningShop]:
    shop: RunningShop = request.getfixturevalue(f"{request.param}_shop")
    yield shop
    shop.forget_faults()


@pytest.fixture
def consoles() -> Iterator[list[str]]:
    """What the browser complained about; anything here fails the story."""
    complaints: list[str] = []
    yield complaints
    assert complaints == []


@pytest.fixture
def context(chromium: Browser, consoles: list[str]) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    watch(context, consoles)
    yield context
    context.close()


@pytest.fixture
def buyer(context: BrowserContext, shop: RunningShop) -> Buyer:
    return Buyer(context, shop.url).registers()


def watch(context: BrowserContext, complaints: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not STRIPE_SAYS_NO.search(message.text):
            complaints.append(f"{message.type}: {message.text}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"uncaught: {error.error}"))


def _running(folder: Path, database_url: str) -> Iterator[RunningShop]:
    shop = RunningShop(folder, database_url)
    try:
        yield shop.start()
        assert "nothing differs" in shop.flask("ledger", "verify")  # after all the stories
    finally:
        shop.stop()
