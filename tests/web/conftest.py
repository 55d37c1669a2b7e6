"""Visitors of the shop, and shops with other settings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from tests.support.apps import an_app, closing, some_settings
from tests.web.visitor import Visitor, a_visitor


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return a_visitor(app)


@pytest.fixture
def signed_in(app: Flask) -> Visitor:
    return a_visitor(app).registers()


@pytest.fixture
def shop_with(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Builds shops on the test's database, with settings of their own."""
    with ExitStack() as open_apps:

        def build(**settings: str) -> Flask:
            app = an_app(some_settings(tmp_path, database_url, **settings))
            return open_apps.enter_context(closing(app))

        yield build
