"""A shop that sells plans at fakestripe. A file's tests share one fakestripe, each with customers
of its own; its clock only moves on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from tests.fakestripe.harness import FakeStripe
from tests.subscriptions.real import Billing, a_billing_app_settings, sells
from tests.support import databases
from tests.support.apps import an_app, closing


@pytest.fixture(scope="module")
def fakestripe(shared_fakestripe: FakeStripe) -> FakeStripe:
    return shared_fakestripe


@pytest.fixture(scope="module")
def prices(fakestripe: FakeStripe) -> dict[str, str]:
    """All prices of the catalogue, for sale: plan_interval -> Stripe's id."""
    return sells(fakestripe.client())


@pytest.fixture
def billing(
    tmp_path: Path, database_url: str, fakestripe: FakeStripe, prices: dict[str, str]
) -> Iterator[Billing]:
    settings = a_billing_app_settings(tmp_path, database_url, fakestripe.url)
    with closing(an_app(settings)) as app:
        yield Billing(app, fakestripe, dict(prices))


@pytest.fixture
def another_shop(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, fakestripe: FakeStripe
) -> Iterator[Callable[[], Flask]]:
    """Makes shops at the same fakestripe, each on an empty database of the same kind."""
    with ExitStack() as made:

        def make() -> Flask:
            folder = tmp_path / f"shop{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            if database_url.startswith("sqlite"):
                template = request.getfixturevalue("sqlite_template")
                url = made.enter_context(databases.new_sqlite(template, folder))
            else:
                url = made.enter_context(databases.new_postgresql())
            settings = a_billing_app_settings(folder, url, fakestripe.url)
            return made.enter_context(closing(an_app(settings)))

        yield make
