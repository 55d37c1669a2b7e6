"""An operator's day in a browser: every page is used, light on a desktop and dark on a phone,
passes axe and scrolls nowhere sideways. No page needs a script."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from storefront import ledger
from storefront.db import transaction, utcnow
from storefront.handlers import handle
from storefront.stripe_gateway import parse_event
from tests.admin.operator import deeds, made_operator
from tests.stories.conftest import watch
from tests.support import books
from tests.support.billing_rows import a_subscription, an_invoice, known_prices
from tests.support.builders import (
    PASSWORD,
    Customer,
    a_payment,
    a_user,
    an_event,
    an_intent,
    body_of,
)
from tests.support.money_back import a_dispute, a_refund, a_warning, disputed, refunded
from tests.support.promised import promised
from tests.support.served import ServedShop, eventually
from tests.support.thoroughness import THOROUGH

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
BAD_REQUEST = "the server responded with a status of 400"


@dataclass
class Stage:
    """A shop with something of everything, one payment of it at fakestripe."""

    shop: ServedShop
    anna: Customer
    payment_id: str
    parked: str


@pytest.fixture
def stage(shop: ServedShop) -> Stage:
    app, anna = shop.app, shop.a_buyer()
    payment_id = shop.buys(anna, "usd_10", "k" * 16)
    eventually(lambda: shop.status(payment_id) == "succeeded", "the payment is settled")
    shop.stripe.drain()
    known_prices(app)
    a_subscription(app, anna)
    an_invoice(app, anna)
    with app.app_context(), transaction() as session:
        gift = ledger.Order("gift", "plan_grant", anna.id, 50, expires_at=utcnow() + timedelta(9))
        ledger.transfer(session, gift)
    intent = books.read(app).payments[payment_id]["stripe_intent_id"]
    warned = an_event(a_warning(intent), "radar.early_fraud_warning.created")
    wrong = an_event(an_intent(a_payment(app), amount_received=5))
    happened = (refunded(a_refund(intent, 100)), disputed(a_dispute(intent, 300), "created"))
    with app.app_context():
        for event in (*happened, warned, wrong):
            handle(parse_event(body_of(event).decode()))
    promised(app, "mail_receipt", f"mail_receipt:{payment_id}", payment_id=payment_id)
    given_up = "UPDATE jobs SET attempts = 20, last_error = 'no server', given_up_at = run_at"
    books.execute(app, f"{given_up} WHERE kind = 'mail_receipt'")
    return Stage(shop, anna, payment_id, wrong["id"])


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    watch(context, complaints)
    yield context
    context.close()
    assert [it for it in complaints if BAD_REQUEST not in it] == []


def test_an_operator_s_day(context: BrowserContext, stage: Stage) -> None:
    page = context.new_page()
    _signs_in(page, stage)
    looks_at(page, "Overview")
    page.get_by_role("link", name="Customers", exact=True).click()
    looks_at(page, "Customers")
    _grants(page, stage)
    _refunds(page)
    _mends_an_event(page, stage)
    _goes_through_the_lists(page)
    assert [it.action for it in deeds(stage.shop.app)] == [
        "credits_granted", "refund_ordered", "refund_made", "event_replayed", "job_retried",
    ]  # fmt: skip
    assert stage.shop.balance(stage.anna) == 1000 - 100 + 50 + 25 - 200
    books.assert_clean(stage.shop.app)


def _signs_in(page: Page, stage: Stage) -> None:
    operator = made_operator(stage.shop.app, a_user(stage.shop.app))
    page.goto(f"{stage.shop.url}/login?next=/admin")
    page.get_by_label("Email").fill(operator.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def _grants(page: Page, stage: Stage) -> None:
    """Found by an id of Stripe's, explained, given something."""
    intent = books.read(stage.shop.app).payments[stage.payment_id]["stripe_intent_id"]
    page.get_by_label("E-mail, or any id").fill(intent)
    page.keyboard.press("Enter")
    looks_at(page, stage.anna.email)
    page.get_by_label("At (UTC)").fill("2026-01-01T00:00")
    page.get_by_role("button", name="Explain").click()
    expect(
        page.get_by_text("0 credits at 1 Jan 2026, 00:00 UTC, after 0 movements")
    ).to_be_visible()
    page.get_by_role("link", name="Grant or correct credits").click()
    looks_at(page, "Grant or correct credits")
    page.get_by_label("Credits", exact=True).fill("25")
    page.get_by_label("Why").fill("For the wait")
    page.get_by_role("button", name="See what it would do").click()
    looks_at(page, "Grant or correct credits")
    page.get_by_role("button", name="Add 25 credits").click()
    expect(page.get_by_role("status")).to_contain_text("Done: +25 credits.")


def _refunds(page: Page) -> None:
    page.get_by_role("link", name="usd_10").first.click()
    looks_at(page, "$10.00 succeeded")
    page.get_by_role("link", name="Refund", exact=True).click()
    looks_at(page, "Refund")
    page.get_by_label("Amount (USD)").fill("2.00")
    page.get_by_label("Why").select_option("duplicate")
    page.get_by_role("button", name="See what it would do").click()
    looks_at(page, "Refund")
    page.get_by_role("button", name="Refund $2.00").click()
    expect(page.get_by_role("status")).to_contain_text("$2.00 go back to the customer")
    expect(page.get_by_text("Refund made at Stripe")).to_be_visible()


def _mends_an_event(page: Page, stage: Stage) -> None:
    page.get_by_role("link", name="Events", exact=True).click()
    page.get_by_label("State").select_option("parked")
    page.get_by_role("button", name="Filter").click()
    looks_at(page, "Events")
    page.get_by_role("link", name="payment_intent.succeeded").click()
    page.get_by_role("link", name="What would it do?").click()
    looks_at(page, "payment_intent.succeeded parked")
    expect(page.get_by_text("It would fail:")).to_be_visible()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status")).to_contain_text("It is parked. This try failed:")


def _goes_through_the_lists(page: Page) -> None:
    page.get_by_role("link", name="Payments", exact=True).click()
    page.get_by_label("Amount").fill("ten")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("alert")).to_have_text(
        "'ten' is no amount. Write it such as 10 or 10.50."
    )
    page.get_by_label("Amount").fill("10")
    page.get_by_role("button", name="Filter").click()
    looks_at(page, "Payments")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "payments.csv"
    page.get_by_role("link", name="Ledger", exact=True).click()
    looks_at(page, "Ledger")
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_label("State").select_option("given up")
    page.get_by_role("button", name="Filter").click()
    looks_at(page, "Jobs")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("The worker will take it next")
    for name in ("Reconcile", "Audit"):
        page.get_by_role("link", name=name, exact=True).click()
        looks_at(page, name)


def looks_at(page: Page, heading: str) -> None:
    """The page is sound on a phone in the dark, and on a desktop in the light; axe looks at one of
    the two in a usual run."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    views = ((390, "dark"), (1280, "light"))
    looked_at = views if THOROUGH else (random.choice(views),)
    for width, scheme in views:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{page.url} is {wider} px wider than the screen"
        if (width, scheme) in looked_at:
            violations = Axe().run(page).response["violations"]
            assert [(page.url, it["id"], it["nodes"][0]["html"]) for it in violations] == []
