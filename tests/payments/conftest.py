"""A shop wired to a Stripe that fails on command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
