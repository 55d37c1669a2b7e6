"""Who attacks, and who is attacked."""

import pytest
from flask import Flask

from tests.admin.operator import Operator, an_operator
from tests.web.visitor import Visitor, a_visitor


@pytest.fixture
def operator(app: Flask) -> Operator:
    return an_operator(app)


@pytest.fixture
def mallory(app: Flask) -> Visitor:
    """A customer with bad intentions."""
    return a_visitor(app).registers()
