"""A shop wired to a Stripe that fails on command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from tests.support.apps import some_settings
from tests.support.stub_stripe import StubStripe, running_stub


@pytest.fixture
def stripe() -> Iterator[StubStripe]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def settings(database_url: str, tmp_path: Path, stripe: StubStripe) -> Config:
    return some_settings(tmp_path, database_url, STRIPE_API_BASE=stripe.url)


@pytest.fixture(autouse=True)
def no_long_waits(app: Flask) -> None:
    """stripe-python waits half a second and more before it repeats a request."""
    http_client = app.extensions["stripe_gateway"]._client._requestor._get_http_client()
    http_client.INITIAL_DELAY = http_client.MAX_DELAY = 0.01
