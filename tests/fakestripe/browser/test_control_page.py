"""The control page, used by a person: what happened, what is switched on, what time it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fakestripe.browser.hosted import Merchant
from tests.fakestripe.browser.shop import Shop
from tests.fakestripe.harness import FakeStripe

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, fakestripe: FakeStripe) -> Iterator[Page]:
    """The page, opened; nothing may be complained of by the browser."""
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(fakestripe.url)
    yield page
    context.close()
    assert complaints == []


def test_it_says_loudly_what_it_is(page: Page) -> None:
    expect(page.get_by_role("complementary")).to_contain_text(
        "a stand-in for Stripe. No money moves."
    )
    expect(page.get_by_role("complementary")).to_contain_text("not against Stripe")


@pytest.mark.always
def test_events_show_each_attempt_and_can_be_delivered_again(page: Page, shop: Shop) -> None:
    # Nothing listens on port 9 of this machine: every attempt fails at once.
    endpoint = shop.client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}
    )
    intent = shop.intent()
    row = page.locator("#events-list details").filter(has_text=intent.id)
    row.locator("summary").click()
    expect(row.get_by_role("group").locator("tbody tr").first).to_be_visible()
    expect(row.locator("pre")).to_contain_text('"type": "payment_intent.created"')
    row.get_by_role("button", name="Redeliver", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("is being delivered again")
    expect(row.get_by_text("Redelivery", exact=True)).to_be_visible()
    expect(row.locator("pre")).to_be_visible()  # what was open stays open
    shop.client.v1.webhook_endpoints.delete(endpoint.id)


def test_events_can_be_filtered_by_type(page: Page, shop: Shop) -> None:
    intent = shop.intent(payment_method="pm_card_visa", confirm=True, return_url=shop.url)
    page.get_by_role("textbox", name="Type").fill("charge.succeeded")
    page.get_by_role("button", name="Filter").click()
    names = page.locator("#events-list .name")
    expect(names.first).to_have_text("charge.succeeded")
    assert set(names.all_inner_texts()) == {"charge.succeeded"}
    assert intent.latest_charge is not None
    expect(
        page.locator("#events-list").get_by_text(str(intent.latest_charge)).first
    ).to_be_visible()


def paid(page: Page, shop: Shop, card: str = "pm_card_visa") -> Locator:
    """Pay, open the payment on the page, and return its row."""
    intent = shop.intent(payment_method=card, confirm=True, return_url=shop.url)
    page.get_by_role("link", name="Payments").click()
    row = page.locator("#payments-list details").filter(has_text=intent.id)
    row.locator("summary").click()
    return row


@pytest.mark.always
def test_a_payment_is_refunded_by_hand(page: Page, shop: Shop) -> None:
    row = paid(page, shop)
    expect(row.locator("summary")).to_contain_text("$10.00 · 1,000 credits")
    row.get_by_label("Amount in USD").fill("2.50")
    row.get_by_role("button", name="Refund", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Refund of $2.50: succeeded.")
    expect(row.locator("summary")).to_be_focused()
    expect(row.locator("summary .badge")).to_have_text("partly refunded")
    expect(row.get_by_label("Amount in USD")).to_have_value("7.50")
    row.get_by_label("How it goes").select_option("pending")
    row.get_by_role("button", name="Refund", exact=True).click()
    refunds = row.get_by_role("listitem")
    expect(refunds).to_have_count(2)
    expect(row.get_by_role("button", name="Refund", exact=True)).to_have_count(0)
    refunds.filter(has_text="$7.50").get_by_role("button", name="Let it fail").click()
    expect(page.get_by_role("status")).to_have_text("Refund of $7.50: failed.")
    expect(refunds.filter(has_text="$7.50")).to_contain_text("expired or canceled card")


def test_a_dispute_is_opened_and_won_by_hand(page: Page, shop: Shop) -> None:
    row = paid(page, shop)
    row.get_by_label("Reason").select_option("product_not_received")
    row.get_by_role("button", name="Open dispute").click()
    expect(row.locator("summary .badge")).to_have_text("disputed")
    expect(row.get_by_role("button", name="Refund", exact=True)).to_have_count(0)
    expect(row.get_by_role("listitem")).to_contain_text("needs response")
    row.get_by_role("button", name="Won").click()
    expect(page.get_by_role("status")).to_have_text("Dispute over $10.00: won.")
    expect(row.locator("summary .badge")).to_have_text("paid")


def test_an_inquiry_is_escalated_and_lost_by_hand(page: Page, shop: Shop) -> None:
    row = paid(page, shop)
    row.get_by_role("button", name="Warn of fraud").click()
    expect(row.get_by_role("listitem")).to_contain_text("actionable")
    row.get_by_label("Kind").select_option("inquiry")
    row.get_by_role("button", name="Open dispute").click()
    expect(row.locator("summary .badge")).to_have_text("inquiry")
    row.get_by_role("button", name="Escalate it").click()
    expect(row.locator("summary .badge")).to_have_text("disputed")
    row.get_by_role("button", name="Lost").click()
    expect(row.locator("summary .badge")).to_have_text("charged back")
    expect(row.get_by_role("button", name="Open dispute")).to_have_count(0)


def test_an_endpoint_is_disabled_and_enabled(page: Page, shop: Shop) -> None:
    url = "http://127.0.0.1:9/switched"
    endpoint = shop.client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    row = page.locator("#endpoints li").filter(has_text=url)
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    assert shop.client.v1.webhook_endpoints.retrieve(endpoint.id).status == "disabled"
    row.get_by_role("button", name="Enable").click()
    expect(row).to_contain_text("enabled")
    shop.client.v1.webhook_endpoints.delete(endpoint.id)
    expect(row).to_have_count(0)


def test_objects_are_listed_by_type_with_their_json(page: Page, shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"email": "jenny@example.com"})
    intent = shop.intent(currency="jpy", amount=1200)
    page.get_by_role("link", name="Objects").click()
    expect(page.locator("#objects-list details").filter(has_text=intent.id)).to_contain_text(
        "¥1,200"
    )
    page.get_by_role("combobox", name="Type").select_option("customer")
    row = page.locator("#objects-list details").filter(has_text=customer.id)
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text('"email": "jenny@example.com"')
    expect(page.locator("#objects-list").get_by_text(intent.id)).to_have_count(0)


def test_the_clock_can_be_moved(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Clock").click()
    before = fakestripe.control("clock")["ahead_seconds"]
    page.get_by_role("button", name="Advance 1 hour").click()
    expect(page.get_by_role("status")).to_have_text("The clock has moved forward by 1 h.")
    page.get_by_role("spinbutton", name="Seconds").fill("90")
    page.get_by_role("button", name="Advance", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The clock has moved forward by 1 min 30 s.")
    ahead = fakestripe.control("clock")["ahead_seconds"] - before
    assert ahead == pytest.approx(3690, abs=1)


def test_api_faults_can_be_switched_on_and_off(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Faults").click()
    form = page.locator("#api-fault")
    form.get_by_label("What happens").select_option("status")
    expect(form.get_by_label("Latency in milliseconds")).to_be_hidden()
    form.get_by_label("Path").fill("/v1/refunds*")
    form.get_by_label("Method").select_option("POST")
    form.get_by_label("Status").select_option("503")
    form.get_by_label("Execute the request first").check()
    form.get_by_label("Probability").fill("0.5")
    form.get_by_label("How many times").fill("3")
    form.get_by_role("button", name="Switch on").click()
    rule = page.locator("#api-faults").get_by_role("listitem")
    expect(rule).to_contain_text("503 after executing, with probability 0.5, 3 times more")
    (fault,) = fakestripe.control("faults")["data"]
    assert (fault["kind"], fault["path"], fault["method"]) == ("status", "/v1/refunds*", "POST")
    rule.get_by_role("button", name="Switch off").click()
    expect(page.locator("#api-faults")).to_have_text("None: everything works.")
    assert fakestripe.control("faults")["data"] == []


def test_webhook_faults_can_be_switched_on_and_off(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Faults").click()
    form = page.locator("#webhook-fault")
    form.get_by_label("What happens").select_option("shuffled")
    form.get_by_label("Event type").fill("charge.*")
    form.get_by_label("Events to hold").fill("4")
    form.get_by_label("Seed").fill("7")
    form.get_by_role("button", name="Switch on").click()
    rule = page.locator("#webhook-faults").get_by_role("listitem")
    expect(rule).to_contain_text("in batches of 4, seed 7")
    (fault,) = fakestripe.control("webhook_faults")["data"]
    assert (fault["kind"], fault["type"], fault["hold"]) == ("shuffled", "charge.*", 4)
    rule.get_by_role("button", name="Switch off").click()
    expect(page.locator("#webhook-faults")).to_have_text("None: everything works.")


def test_the_test_cards_are_the_programs_own_table(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Test cards").click()
    rows = page.locator("#cards-rows tr")
    expect(rows.first).to_contain_text("4242 4242 4242 4242")
    expect(rows.filter(has_text="4000 0000 0000 9995")).to_contain_text("insufficient funds")
    expect(rows.filter(has_text="AT611904300234573201")).to_have_count(1)


def test_it_says_how_to_point_a_client_at_it(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Connect").click()
    port = fakestripe.url.rpartition(":")[2]
    expect(page.get_by_label("Python example")).to_contain_text(fakestripe.url)
    expect(page.get_by_label("Node example")).to_contain_text(re.compile(rf"port: {port}\b"))


def test_what_billing_made_can_be_told_apart_and_opened(page: Page, merchant: Merchant) -> None:
    customer, price = merchant.customer("pm_card_visa"), merchant.price(1900)
    subscription = merchant.subscription(customer, price)
    session = merchant.session(price, customer=customer)
    page.get_by_role("link", name="Objects").click()
    rows = page.locator("#objects-list details")
    of_type = page.get_by_role("combobox", name="Type")
    for type, text in [
        ("subscription", "subscription · $19.00 per month"),
        ("invoice", "invoice · $19.00"),
        ("price", "price · $19.00"),
        ("product", "product · Pro"),
        ("checkout.session", "checkout session · $19.00"),
    ]:
        of_type.select_option(type)
        expect(rows.first.locator(".name")).to_have_text(text)
    row = rows.filter(has_text=session.id)
    row.locator("summary").click()
    row.get_by_role("link", name="Open its page").click()
    expect(page.get_by_role("heading", name="Subscribe to Pro")).to_be_visible()
    assert subscription.status == "active"


def test_the_end_of_failed_renewals_can_be_chosen(page: Page, fakestripe: FakeStripe) -> None:
    page.get_by_role("link", name="Clock").click()
    end = page.get_by_role("combobox", name="The subscription")
    expect(end).to_have_value("canceled")
    end.select_option("unpaid")
    expect(page.get_by_role("status")).to_have_text("The setting is saved.")
    assert fakestripe.control("dunning") == {"end": "unpaid"}
    fakestripe.control("dunning", {"end": "canceled"})


@pytest.mark.parametrize("width", [390, 1280])
def test_no_section_is_wider_than_the_screen(page: Page, shop: Shop, width: int) -> None:
    shop.intent()
    page.set_viewport_size({"width": width, "height": 900})
    for name in ("events", "payments", "objects", "clock", "faults", "cards", "connect"):
        page.goto(page.url.split("#")[0] + f"#{name}")
        expect(page.locator(f"#{name}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
