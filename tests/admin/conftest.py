"""An operator, signed in a moment ago."""

import pytest
from flask import Flask

from tests.admin.operator import Operator, an_operator
from tests.admin.till import Till, a_till
from tests.support.served import ServedShop


@pytest.fixture
def operator(app: Flask) -> Operator:
    return an_operator(app)


@pytest.fixture
def till(shop: ServedShop) -> Till:
    return a_till(shop)
