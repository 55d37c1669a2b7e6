"""How people look at pages: on a phone or a desktop, in the light or in the dark."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext

View = tuple[str, str]
"""A size and a scheme."""

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
ALL_VIEWS: list[View] = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]


@contextmanager
def looking(browser: Browser, view: View) -> Iterator[BrowserContext]:
    size, scheme = view
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    yield context
    context.close()
