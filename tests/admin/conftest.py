"""An operator, signed in a moment ago."""

import pytest
from flask import Flask

from tests.admin.operator import Operator, an_operator


@pytest.fixture
def operator(app: Flask) -> Operator:
    return an_operator(app)
