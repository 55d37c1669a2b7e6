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
from tests.support.shop import ROOT, RunningShop
from tests.support.subscriber import Subscriber, check_the_books

expect.set_options(timeout=15_000)  # patience on a busy machine; nothing is timed here
STRIPE_SAYS_NO = re.compile(r"Failed to load resource: .*\b402\b")
"""Chromium notes a declined confirmation, as it does with Stripe; no page can prevent that."""

TRIAL_PLAN = """
[[plans]]
code = "team_plan"
billing = "subscription"
name = "Team"
features = ["Twenty seats", { code = "reports", text = "Reports about everything" }]
currency = "usd"
monthly = 9900
credits = 12000
trial_days = 14
"""


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


@pytest.fixture
def subscriber(context: BrowserContext, shop: RunningShop) -> Iterator[Subscriber]:
    """A new customer; after the story our rows are what Stripe holds, and nothing runs on."""
    subscriber = Subscriber(context, shop)
    subscriber.registers()
    yield subscriber
    shop.forget_faults()
    check_the_books(subscriber)
    subscriber.ends_everything()


def watch(context: BrowserContext, complaints: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not STRIPE_SAYS_NO.search(message.text):
            complaints.append(f"{message.type}: {message.text}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"uncaught: {error.error}"))


def _running(folder: Path, database_url: str) -> Iterator[RunningShop]:
    shop = RunningShop(folder, database_url, catalog=_with_a_trial(folder))
    try:
        yield shop.start()
        assert "nothing differs" in shop.flask("ledger", "verify")  # after all the stories
    finally:
        shop.stop()


def _with_a_trial(folder: Path) -> Path:
    """The shop's own catalogue, and a plan that begins with a trial."""
    catalog = folder / "catalog.toml"
    catalog.write_text((ROOT / "catalog.toml").read_text() + TRIAL_PLAN)
    return catalog
