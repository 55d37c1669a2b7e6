"""A shop wired to a fakestripe of its own, which has nothing for sale yet."""

from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    return some_settings(tmp_path, database_url, STRIPE_API_BASE=fakestripe.url)


@pytest.fixture
def gateway(app: Flask) -> StripeGateway:
    gateway: StripeGateway = app.extensions["stripe_gateway"]
    return gateway
