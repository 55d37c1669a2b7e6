"""A gateway whose Stripe is a fakestripe, and what a customer has there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.harness import FakeStripe
from tests.support import databases
from tests.support.apps import some_settings


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """Nothing here is stored by us: one database is enough."""
    with databases.new_sqlite(sqlite_template, tmp_path) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Config:
    return some_settings(tmp_path, database_url, STRIPE_API_BASE=fakestripe.url)


@pytest.fixture
def gateway(app: Flask) -> Iterator[StripeGateway]:
    with app.app_context():
        yield app.extensions["stripe_gateway"]


@pytest.fixture
def customer(gateway: StripeGateway) -> str:
    return gateway.create_customer(idempotency_key="c", user_id="usr_1", email="jo@example.com")
