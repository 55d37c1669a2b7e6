"""Every page, opened in a browser: no CSP violation, no console message, no accessibility
violation, light and dark, on a phone and on a desktop; nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.stories.conftest import watch
from tests.support.buyer import Buyer
from tests.support.shop import RunningShop
from tests.support.thoroughness import THOROUGH
from tests.support.views import ALL_VIEWS, looking

pytestmark = pytest.mark.browser

PUBLIC = ("/", "/login", "/register", "/no-such-page")
PRIVATE = ("/", "/top-up", "/account", "/account/credits", "/account/password", "/billing")
VIEWS = ALL_VIEWS if THOROUGH else [("phone", "dark"), ("desktop", "light")]
"""A usual run sees each size and each scheme once."""

AXE_KNOCKS = "Failed to execute 'postMessage' on 'DOMWindow': The target origin provided"
"""axe asks every frame on the page to answer; the Payment Element's is none of its business."""
NOT_FOUND = "Failed to load resource: the server responded with a status of 404"


@pytest.fixture(params=VIEWS, ids="-".join)
def visitor(
    request: pytest.FixtureRequest,
    chromium: Browser,
    sqlite_shop: RunningShop,
    consoles: list[str],
) -> Iterator[Buyer]:
    with looking(chromium, request.param) as context:
        watch(context, consoles)
        yield Buyer(context, sqlite_shop.url)


def test_public_pages(visitor: Buyer, consoles: list[str]) -> None:
    for path in PUBLIC:
        visitor.visits(path)
        expect_sound(visitor.page)
    consoles[:] = [each for each in consoles if NOT_FOUND not in each]


def test_private_pages(visitor: Buyer, consoles: list[str]) -> None:
    visitor.registers()
    for path in PRIVATE:
        visitor.visits(path)
        if path == "/top-up":
            expect(visitor.card_fields.get_by_label("Card number")).to_be_visible()
            assert consoles == []
        expect_sound(visitor.page)
    consoles[:] = [each for each in consoles if AXE_KNOCKS not in each]


def test_payment_and_history_pages(visitor: Buyer) -> None:
    visitor.registers()
    visitor.buys("$10")
    visitor.sees_success("1,000")
    expect_sound(visitor.page)
    for path in ("/account", "/account/credits"):
        visitor.visits(path)
        expect_sound(visitor.page)


def expect_sound(page: Page) -> None:
    """No accessibility violation, and the page fits the screen."""
    violations = Axe().run(page).response["violations"]
    assert [f"{page.url}: {each['id']}: {each['help']}" for each in violations] == []
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0, f"{page.url} is {wider} px wider than the screen"
