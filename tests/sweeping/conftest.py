"""A shop whose endpoint Stripe does not know, with plans for sale: what the shop knows of what
customers did at Stripe, it has to ask for."""

from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings
from tests.support.at_checkout import learn_prices, make_prices
from tests.support.served import ServedShop


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    return some_settings(
        tmp_path, database_url, STRIPE_API_BASE=fakestripe.url, APP_URL="https://shop.example"
    )


@pytest.fixture
def deaf(app: Flask, fakestripe: FakeStripe) -> ServedShop:
    http_client = app.extensions["stripe_gateway"]._client._requestor._get_http_client()
    http_client.INITIAL_DELAY = http_client.MAX_DELAY = 0.01
    return ServedShop(app, "http://127.0.0.1:9", fakestripe)


@pytest.fixture
def selling(deaf: ServedShop) -> ServedShop:
    make_prices(deaf.stripe, deaf.app.extensions["catalog"])
    learn_prices(deaf.app)
    return deaf
