"""Billing in every state, opened in a browser: accessible, light and dark, on a phone and on a
desktop, with and without scripts; and the panel that asks until an order is settled."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from storefront.db import utcnow
from tests.stories.conftest import watch
from tests.stories.test_every_page import NOT_FOUND, expect_sound
from tests.support.apps import an_app, closing, some_settings
from tests.support.billing_rows import a_debt, a_subscription, an_invoice, known_prices
from tests.support.builders import PASSWORD, Customer, a_payment, a_user, deliver
from tests.support.checkouts import Visit, a_checkout, completed, expired
from tests.support.served import Door, QuietHandler, serving
from tests.support.thoroughness import THOROUGH, drawn
from tests.support.views import ALL_VIEWS, looking

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
GA4 = {"GA4_MEASUREMENT_ID": "G-ABCDEFGH12", "GA4_API_SECRET": "abcdefghijk"}
LINKS = {"TERMS_URL": "https://x.example/terms", "PRIVACY_URL": "https://x.example/privacy"}
VIEWS = ALL_VIEWS if THOROUGH else [("phone", "dark")]
"""A usual run sees Billing on a desktop in the light among all the other pages: tests/stories."""

FORBIDDEN = "the server responded with a status of 403"


@dataclass
class Stage:
    """A shop whose rows are made by hand, and whose Stripe nobody reaches."""

    app: Flask
    url: str

    def customer(self, status: str | None = None, **columns: object) -> Customer:
        customer = a_user(self.app)
        if status:
            a_subscription(self.app, customer, status, **columns)
        return customer


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    door = Door()
    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=QuietHandler)
    url = f"http://127.0.0.1:{server.server_port}"
    settings = some_settings(tmp_path, database_url, APP_URL=url, **GA4, **LINKS)
    with closing(an_app(settings)) as app, serving(server, door, app):
        known_prices(app)
        yield Stage(app, url)


@pytest.fixture(params=VIEWS, ids="-".join)
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    complaints: list[str] = []
    with looking(chromium, request.param) as context:
        watch(context, complaints)
        yield context
    assert [it for it in complaints if NOT_FOUND not in it and FORBIDDEN not in it] == []


def sign_in(context: BrowserContext, stage: Stage, customer: Customer) -> Page:
    context.clear_cookies()
    page = context.new_page()
    page.goto(f"{stage.url}/login")
    page.get_by_label("Email").fill(customer.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_test_id("balance").wait_for()
    return page


def test_every_standing(stage: Stage, context: BrowserContext) -> None:
    now, soon = utcnow(), utcnow() + timedelta(days=9)
    standings: list[tuple[str | None, dict[str, object]]] = [
        (None, {}),
        ("active", {"cancel_at": soon}),
        ("trialing", {"trial_end": soon}),
        ("past_due", {"past_due_since": now}),
        ("past_due", {"past_due_since": now - timedelta(days=30)}),
        ("paused", {}),
        ("canceled", {"ended_at": now}),
    ]
    for status, columns in drawn(standings, 3):
        page = sign_in(context, stage, stage.customer(status, **columns))
        page.goto(f"{stage.url}/billing?interval=yearly&plan=premium_plan")
        expect_sound(page)
        page.close()


def test_a_full_page_and_what_hangs_on_it(stage: Stage, context: BrowserContext) -> None:
    customer = stage.customer("active")
    for status, columns in (("paid", {}), ("open", {"attempt_count": 2}), ("void", {})):
        an_invoice(stage.app, customer, status, **columns)
    a_debt(stage.app, customer, 2000)
    for columns in ({}, {"amount_refunded": 2900}):
        a_payment(
            stage.app, customer, amount=2900, credits=3000, status="succeeded", kind="purchase",
            pack_or_plan="standard_pack", amount_received=2900, **columns,
        )  # fmt: skip
    page = sign_in(context, stage, customer)
    for path in ("/billing", "/reports", "/account", "/"):
        page.goto(stage.url + path)
        expect_sound(page)
    page.goto(f"{stage.url}/billing")
    page.get_by_role("link", name="Standard Pack").last.click()
    expect(page.get_by_role("heading", name="Payment succeeded")).to_be_visible()
    expect_sound(page)


def test_every_way_back(stage: Stage, context: BrowserContext) -> None:
    customer = stage.customer()
    visits = [
        a_checkout(stage.app, customer, status=status, payment_status=payment_status)
        for status, payment_status in (("open", "unpaid"), ("expired", "unpaid"))
    ]
    paid, slow = (a_checkout(stage.app, customer) for _ in range(2))
    deliver(stage.app.test_client(), completed(paid))
    deliver(stage.app.test_client(), completed(slow, "unpaid"))
    page = sign_in(context, stage, customer)
    addresses = [came_back(stage, visit) for visit in (*visits, paid, slow)]
    for query in ("checkout_status=success&session_id=cs_x", "checkout_status=canceled"):
        addresses.append(f"{stage.url}/billing?{query}")
    for address in drawn(addresses, 3):
        page.goto(address)
        expect_sound(page)
    page.goto(f"{stage.url}/reports")
    expect(page.get_by_role("heading", name="Not part of your plan")).to_be_visible()
    expect_sound(page)


def came_back(stage: Stage, visit: Visit) -> str:
    return f"{stage.url}/billing?checkout_status=success&session_id={visit.session_id}"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    complaints: list[str] = []
    watch(context, complaints)
    yield context.new_page()
    context.close()
    assert complaints == []


def test_the_page_asks_until_the_order_is_settled(stage: Stage, page: Page) -> None:
    customer = stage.customer()
    visit = a_checkout(stage.app, customer)
    page = sign_in(page.context, stage, customer)
    page.goto(came_back(stage, visit))
    expect(page.get_by_role("heading", name="Payment processing")).to_be_visible()
    deliver(stage.app.test_client(), completed(visit))
    expect(page.get_by_role("heading", name="Payment succeeded")).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("balance")).to_have_text("3,000")
    expect(page.get_by_test_id("plan")).to_have_text("Standard Pack")


def test_without_scripts_the_page_loads_itself_again(stage: Stage, chromium: Browser) -> None:
    customer = stage.customer()
    visit = a_checkout(stage.app, customer)
    with chromium.new_context(java_script_enabled=False) as context:
        page = sign_in(context, stage, customer)
        page.goto(came_back(stage, visit))
        expect(page.get_by_role("link", name="Check again")).to_be_visible()
        deliver(stage.app.test_client(), expired(visit))
        heading = page.get_by_role("heading", name="This checkout has expired")
        expect(heading).to_be_visible(timeout=15_000)


def test_months_and_years_are_chosen_by_keyboard(stage: Stage, page: Page) -> None:
    page = sign_in(page.context, stage, stage.customer())
    page.goto(f"{stage.url}/billing")
    page.get_by_role("link", name="Yearly").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Go Premium yearly")).to_be_visible()
    expect(page.get_by_role("link", name="Yearly")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.get_by_role("button", name="Go Premium monthly")).to_be_visible()
