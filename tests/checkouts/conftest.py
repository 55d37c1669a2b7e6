"""A shop on either database, wired to one fakestripe for a whole file, which sells the catalogue
and delivers no webhooks: what the shop knows, it has asked or been told by the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront import catalog
from storefront.config import ROOT, Config
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import an_app, closing, some_settings
from tests.support.at_checkout import learn_prices, make_prices

MORE_PLANS = """
[[plans]]
code = "seats"
billing = "one_time"
name = "Seats"
description = "As many as you need, up to five."
features = ["Seats"]
limits = { seats = 1 }
currency = "usd"
one_time = 700
credits = 10
max_quantity = 5

[[plans]]
code = "tried_plan"
billing = "subscription"
name = "Tried"
description = "Two weeks for nothing."
features = ["Trying"]
limits = { projects = 3 }
currency = "usd"
monthly = 1500
credits = 100
trial_days = 14
"""


@pytest.fixture(scope="session")
def catalog_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue that comes with the shop, and two plans that it has no example of."""
    path = tmp_path_factory.mktemp("catalog") / "catalog.toml"
    path.write_text((ROOT / "catalog.toml").read_text() + MORE_PLANS)
    return path


@pytest.fixture(scope="module")
def fakestripe(shared_fakestripe: FakeStripe, catalog_path: Path) -> FakeStripe:
    make_prices(shared_fakestripe, catalog.load(catalog_path))
    return shared_fakestripe


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, fakestripe: FakeStripe, catalog_path: Path
) -> Config:
    return some_settings(
        tmp_path,
        database_url,
        STRIPE_API_BASE=fakestripe.url,
        CATALOG_PATH=str(catalog_path),
        APP_URL="https://shop.example",
    )


@pytest.fixture
def app(settings: Config) -> Iterator[Flask]:
    with closing(an_app(settings)) as app:
        learn_prices(app)
        yield app
