"""A shop whose endpoint Stripe does not know, with plans for sale: what the shop knows of what
customers did at Stripe, it has to ask for."""

from pathlib import Path

import pytest

from storefront.config import Config
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings
from tests.support.at_checkout import learn_prices, make_prices
from tests.support.deaf import deaf
from tests.support.served import ServedShop

__all__ = ["deaf"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    return some_settings(
        tmp_path, database_url, STRIPE_API_BASE=fakestripe.url, APP_URL="https://shop.example"
    )


@pytest.fixture
def selling(deaf: ServedShop) -> ServedShop:
    make_prices(deaf.stripe, deaf.app.extensions["catalog"])
    learn_prices(deaf.app)
    return deaf
