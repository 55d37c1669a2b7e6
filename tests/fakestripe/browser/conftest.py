"""A running stand-in, a shop on another origin, and a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.fakestripe.browser.buyer import Buyer
from tests.fakestripe.browser.hosted import Merchant, Visitor
from tests.fakestripe.browser.shop import Shop, running_shop
from tests.fakestripe.harness import FakeStripe

expect.set_options(timeout=15_000)  # patience on a busy machine; nothing is timed here


@pytest.fixture(scope="module")
def shop(fakestripe: FakeStripe) -> Iterator[Shop]:
    with running_shop(fakestripe.url) as running:
        yield running


@pytest.fixture
def buyer(chromium: Browser, shop: Shop) -> Iterator[Buyer]:
    """A buyer whose browser must not complain: no console error, warning or CSP violation."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(15_000)
    buyer = Buyer(context.new_page(), shop.url)
    yield buyer
    context.close()
    assert buyer.complaints == []


@pytest.fixture
def visitor(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A customer on the hosted pages, whose browser must not complain either."""
    if "alone" in request.fixturenames:
        request.getfixturevalue("alone")  # outlives the page, which may be loading at the end
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(15_000)
    visitor = Visitor(context.new_page())
    yield visitor
    context.close()
    assert visitor.complaints == []


@pytest.fixture
def merchant(shop: Shop) -> Merchant:
    return Merchant(shop.client, shop.url)
