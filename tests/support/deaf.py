"""A shop whose endpoint Stripe does not know: what happens there is listed, and never delivered."""

from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings
from tests.support.served import ServedShop


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    return some_settings(tmp_path, database_url, STRIPE_API_BASE=fakestripe.url)


@pytest.fixture
def deaf(app: Flask, fakestripe: FakeStripe) -> ServedShop:
    return ServedShop(app, "http://127.0.0.1:9", fakestripe)
