"""A shop whose endpoint Stripe does not know: what it hears is what the post brings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from tests.fakestripe.harness import FakeStripe
from tests.histories.world import CATALOG
from tests.support.accidents import Fate, fate
from tests.support.apps import some_settings
from tests.support.deaf import deaf

__all__ = ["deaf"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    catalogue = tmp_path / "catalog.toml"
    catalogue.write_text(CATALOG)
    return some_settings(
        tmp_path,
        database_url,
        STRIPE_API_BASE=fakestripe.url,
        CATALOG_PATH=str(catalogue),
        APP_URL="https://shop.example",
    )


@pytest.fixture
def mortal(app: Flask) -> Iterator[Fate]:
    with fate(app) as found:
        yield found
