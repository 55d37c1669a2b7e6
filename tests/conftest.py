"""What every test may ask for: a fresh database of either kind, a shop on it, a client of it.

`database_url` runs a test on both databases; `-k sqlite` or `-k postgresql` chooses one.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from storefront.config import Config
from tests.fakestripe.harness import FakeStripe, KeptFakeStripe
from tests.support import crashes, databases, postgres, selection
from tests.support.apps import an_app as build_app
from tests.support.apps import closing, hurry, some_settings
from tests.support.chromium import ARGUMENTS
from tests.support.chromium import executable as find_chromium
from tests.support.selection import STORIES
from tests.support.served import ServedShop, served_shop
from tests.support.thoroughness import THOROUGH


def pytest_configure(config: pytest.Config) -> None:
    hurry()
    keep_bytecode()
    if not hasattr(config, "workerinput"):
        postgres.reserve_folder()
        # A run that is told to end (by timeout, by CI) tidies up as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def keep_bytecode() -> None:
    """Here and in every process that is started: compiling all tests, and all of the shop, takes
    longer than most of them run for."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    crashes.PROGRAM.stop()
    if not hasattr(config, "workerinput") and postgres.FOLDER_VARIABLE in os.environ:
        postgres.stop_and_remove()


def pytest_collection_finish() -> None:
    """What is there now stays to the end. Looking for garbage in it again and again, after each few
    hundred objects, was a tenth of a run."""
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER_OBJECTS)


GARBAGE_AFTER_OBJECTS = 50_000
TOGETHER = ("tests/doctor/", "tests/clients/test_node_sdk.py", "tests/faults/test_short.py")
"""What shares something that takes long to make, and so goes to one process."""


class StoriesTogether(LoadScopeScheduling):
    """Gives each test to the next free process, but all stories of one database to one, and so
    others that share a start. (--dist=loadgroup would do it: its marks are lost with pytest
    9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        for shared in TOGETHER:
            if shared in nodeid:
                return shared
        if STORIES not in nodeid:
            return nodeid
        return f"stories on {'postgresql' if 'postgresql' in nodeid else 'sqlite'}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> StoriesTogether:
    return StoriesTogether(config, log)


@pytest.hookimpl(trylast=True)  # after the shuffling
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stories first, they take long; then the rest, without what a usual run does without."""
    items.sort(key=lambda item: not _is_story(item))
    if THOROUGH:
        return
    others = selection.left_out(config, items)
    config.hook.pytest_deselected(items=list(others))
    items[:] = [item for item in items if item not in others]


def _is_story(item: pytest.Item) -> bool:
    return STORIES in item.nodeid


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of this process: Playwright's sync API cannot be opened twice."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def new_postgresql_database() -> Iterator[Callable[[], str]]:
    """Makes migrated databases that live as long as the session."""
    with ExitStack() as made:
        yield lambda: made.enter_context(databases.new_postgresql())


@pytest.fixture(scope="session")
def reused_postgresql() -> Iterator[databases.ReusedPostgresql]:
    reused = databases.ReusedPostgresql()
    yield reused
    reused.drop()


@pytest.fixture(params=databases.NAMES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database, once of each kind."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        with databases.new_sqlite(template, tmp_path) as url:
            yield url
    else:
        reused = request.getfixturevalue("reused_postgresql")
        with reused.lent() as url:
            yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Config:
    """The shop's settings, with a Stripe that nobody reaches."""
    return some_settings(tmp_path, database_url)


@pytest.fixture
def app(settings: Config) -> Iterator[Flask]:
    with closing(build_app(settings)) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def kept_fakestripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptFakeStripe]:
    kept = KeptFakeStripe(tmp_path_factory.mktemp("fakestripe"))
    yield kept
    kept.stop()


@pytest.fixture(scope="session")
def kept_for_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptFakeStripe]:
    kept = KeptFakeStripe(tmp_path_factory.mktemp("fakestripe-of-files"))
    yield kept
    kept.stop()


@pytest.fixture(scope="module")
def shared_fakestripe(kept_for_files: KeptFakeStripe) -> Iterator[FakeStripe]:
    """A stand-in that a file's tests share, each with objects of its own in it."""
    with kept_for_files.lent() as fake:
        yield fake


@pytest.fixture
def fakestripe(kept_fakestripe: KeptFakeStripe) -> Iterator[FakeStripe]:
    """A stand-in for Stripe, as the program it is, with nothing of another test in it."""
    with kept_fakestripe.lent() as fake:
        yield fake


@pytest.fixture
def shop(tmp_path: Path, database_url: str, fakestripe: FakeStripe) -> Iterator[ServedShop]:
    """The shop over real HTTP, wired to fakestripe, which delivers its webhooks to it."""
    with served_shop(tmp_path, database_url, fakestripe) as served:
        yield served
