"""axe-core finds nothing to complain of on any page of the stand-in, light and dark."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect

from tests.fakestripe.browser.buyer import DEFERRED, Buyer
from tests.fakestripe.browser.hosted import Merchant, Visitor
from tests.fakestripe.browser.shop import Shop
from tests.fakestripe.harness import FakeStripe
from tests.support.thoroughness import THOROUGH

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]


@pytest.fixture(params=["light", "dark"] if THOROUGH else [None])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """Both in a thorough run; usually one of them, drawn by the run's seed."""
    scheme: Scheme = request.param or random.choice(["light", "dark"])
    return scheme


@pytest.fixture
def page(chromium: Browser, scheme: Scheme) -> Iterator[Page]:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def assert_accessible(place: Page | Frame) -> None:
    # The page around a frame has the heading.
    rules = {"page-has-heading-one": {"enabled": isinstance(place, Page)}}
    results = Axe().run(place, options={"resultTypes": ["violations"], "rules": rules})
    assert results.violations_count == 0, results.generate_report()


def frame_at(page: Page, path: str) -> Frame:
    return next(frame for frame in page.frames if path in frame.url)


@pytest.mark.parametrize("layout", ["tabs", "accordion"])
def test_the_payment_element(page: Page, shop: Shop, scheme: Scheme, layout: str) -> None:
    buyer = Buyer(page, shop.url)
    theme = {"light": "stripe", "dark": "night"}[scheme]
    group = {**DEFERRED, "appearance": {"theme": theme}}
    buyer.opens_the_shop(group, {"layout": layout})
    frame = frame_at(page, "/_elements/payment")
    # The frame is transparent, which axe takes for white: give it what lies below it.
    frame.evaluate(
        "(colour) => { document.documentElement.style.background = colour; }",
        page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff'"),
    )
    assert_accessible(frame)
    buyer.pays()  # with every field empty: the messages must be readable as well
    expect(buyer.form.locator(".Error:visible")).to_have_count(3)
    buyer.form.get_by_text("All test cards").click()
    expect(buyer.form.get_by_role("button", name="4242 4242 4242 4242")).to_be_visible()
    assert_accessible(frame)
    buyer.form.get_by_text("US bank account").click()
    assert_accessible(frame)
    assert_accessible(page)  # the shop's page with the frames in it


def test_the_challenge(page: Page, shop: Shop) -> None:
    buyer = Buyer(page, shop.url)
    buyer.opens_the_shop()
    buyer.fills_in("4000002760003184")
    buyer.pays()
    expect(buyer.challenge.get_by_role("button", name="Complete")).to_be_visible()
    assert_accessible(frame_at(page, "/_3ds/"))
    assert_accessible(page)
    page.goto(frame_at(page, "/_3ds/").url)
    expect(page.get_by_role("button", name="Complete")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize(
    "section", ["events", "payments", "objects", "clock", "faults", "cards", "connect"]
)
def test_the_control_page(page: Page, shop: Shop, fakestripe: FakeStripe, section: str) -> None:
    shop.client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/hook", "enabled_events": ["payment_intent.created"]}
    )
    shop.intent()
    fakestripe.control("webhook_faults", {"kind": "late", "type": "refund.*"})
    page.goto(f"{fakestripe.url}/#{section}")
    expect(page.locator("#now")).not_to_have_text("…")
    if section in ("events", "objects"):
        page.locator(f"#{section}-list summary").first.click()
        expect(page.locator(f"#{section}-list pre").first).to_be_visible()
    if section == "payments":
        intent = shop.intent(payment_method="pm_card_visa", confirm=True, return_url=shop.url)
        fakestripe.control(f"payments/{intent.id}/refund", {"amount": 100, "course": "pending"})
        fakestripe.control(f"payments/{intent.id}/dispute", {"inquiry": True})
        page.locator("#payments-list summary").filter(has_text=intent.id).click()
        expect(page.get_by_role("button", name="Escalate it")).to_be_visible()
    assert_accessible(page)


@pytest.mark.always
def test_checkout(page: Page, merchant: Merchant) -> None:
    adjustable = {"enabled": True, "minimum": 1, "maximum": 4}
    line: dict[str, object] = {"price": merchant.price(500, None), "quantity": 2}
    session = merchant.session(
        str(line["price"]), mode="payment", allow_promotion_codes=True,
        line_items=[{**line, "adjustable_quantity": adjustable}],
    )  # fmt: skip
    visitor = Visitor(page)
    visitor.opens(session.url)
    assert_accessible(page)
    page.get_by_text("Add promotion code").click()
    page.get_by_label("Promotion code").fill("nonsense")
    visitor.presses("Apply")
    visitor.problem("This code is invalid.")
    page.get_by_label("Email").fill("guest@example.com")
    page.get_by_text("All test cards").click()
    expect(page.get_by_role("button", name="4242 4242 4242 4242")).to_be_visible()
    visitor.presses("Pay $10.00")  # with every field of the card empty
    expect(page.locator(".Error:visible")).to_have_count(4)
    assert_accessible(page)
    merchant.client.v1.checkout.sessions.expire(session.id)
    visitor.opens(session.url)
    visitor.sees_heading("This page has expired")
    assert_accessible(page)


def test_the_portal(page: Page, merchant: Merchant) -> None:
    customer = merchant.customer("pm_card_visa")
    monthly, yearly = merchant.price(), merchant.price(20000, "year")
    id = merchant.subscription(customer, monthly).id
    home = merchant.portal(customer, merchant.configuration(monthly, yearly))
    visitor = Visitor(page)
    subscription = f"/subscriptions/{id}"
    for path, heading in [
        ("", "Current subscription"),
        (f"{subscription}/update", "Update your plan"),
        (f"{subscription}/preview?price={yearly}", "Confirm your updates"),
        (f"{subscription}/renew", "Renew your subscription"),
        (f"{subscription}/cancel", "Cancel your subscription"),
        (f"{subscription}/pause", "Pause your subscription"),
        (f"{subscription}/resume", "Resume your subscription"),
        ("/payment-method", "Update your payment method"),
        ("/details", "Update your information"),
    ]:
        visitor.opens(home + path)
        visitor.sees_heading(heading)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_an_open_invoice(page: Page, merchant: Merchant) -> None:
    customer = merchant.customer()
    subscription = merchant.subscription(
        customer, merchant.price(), payment_behavior="default_incomplete"
    )
    invoice = merchant.client.v1.invoices.retrieve(str(subscription.latest_invoice))
    Visitor(page).opens(invoice.hosted_invoice_url)
    expect(page.get_by_role("button", name="Pay $20.00")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
