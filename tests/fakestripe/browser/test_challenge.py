"""The 3-D Secure challenge: as a modal over the shop, and as a page of its own."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from tests.fakestripe.browser.buyer import Buyer
from tests.fakestripe.browser.shop import Shop
from tests.fakestripe.harness import FakeStripe

pytestmark = pytest.mark.browser


def challenged(shop: Shop, return_url: str) -> tuple[str, str]:
    """An intent that waits for the bank by redirect: its id and the page's address."""
    intent = shop.intent(
        payment_method="pm_card_authenticationRequired", confirm=True, return_url=return_url
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.url is not None
    return intent.id, intent.next_action.redirect_to_url.url


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.always
def test_the_modal_says_what_it_is_and_keeps_the_keyboard(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in("4000002760003184")
    buyer.pays()
    challenge = buyer.challenge
    expect(challenge.get_by_text("Stand-in for your bank’s page")).to_be_visible()
    expect(challenge.get_by_text("$10.00")).to_be_visible()
    expect(challenge.get_by_role("heading")).to_be_focused()
    order = ["Fail", "Complete", "Fail"]
    for name in order:
        buyer.page.keyboard.press("Tab")
        expect(challenge.get_by_role("button", name=name)).to_be_focused()
    buyer.page.keyboard.press("Shift+Tab")
    expect(challenge.get_by_role("button", name="Complete")).to_be_focused()
    for _ in range(3):
        buyer.page.keyboard.press("Escape")
    expect(buyer.page.locator("dialog")).to_be_visible()
    buyer.page.keyboard.press("Enter")
    buyer.sees("succeeded")


def test_escape_outside_the_frame_does_not_end_the_payment(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in("4000002760003184")
    buyer.pays()
    expect(buyer.challenge.get_by_role("heading")).to_be_focused()
    for _ in range(3):
        buyer.page.evaluate("document.querySelector('dialog iframe').blur()")
        buyer.page.keyboard.press("Escape")
    expect(buyer.page.locator("dialog")).to_be_visible()
    buyer.answers("Fail")
    expect(buyer.page.locator("#result")).to_contain_text("We are unable to authenticate")


@pytest.mark.parametrize(
    ("button", "outcome", "status"),
    [("Complete", "succeeded", "succeeded"), ("Fail", "failed", "requires_payment_method")],
)
def test_the_full_page_sends_the_buyer_back(
    buyer: Buyer, shop: Shop, button: str, outcome: str, status: str
) -> None:
    intent_id, address = challenged(shop, f"{shop.url}/done?order=7&note=a%26b")
    buyer.page.goto(address)
    buyer.page.get_by_role("button", name=button, exact=True).click()
    buyer.page.wait_for_url("**/done?**")
    query = query_of(buyer.page.url)
    assert query["order"] == "7"
    assert query["note"] == "a&b"
    assert query["payment_intent"] == intent_id
    assert query["payment_intent_client_secret"].startswith(f"{intent_id}_secret_")
    assert query["redirect_status"] == outcome
    assert buyer.page.evaluate("document.referrer") == ""
    assert shop.client.v1.payment_intents.retrieve(intent_id).status == status


def test_an_answered_challenge_has_nothing_more_to_ask(buyer: Buyer, shop: Shop) -> None:
    _intent_id, address = challenged(shop, f"{shop.url}/done")
    buyer.page.goto(address)
    buyer.page.get_by_role("button", name="Complete", exact=True).click()
    buyer.page.wait_for_url("**/done?**")
    buyer.page.goto(address)
    expect(buyer.page.get_by_role("heading", name="Nothing to confirm")).to_be_visible()
    expect(buyer.page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("secret", ["", "pi_x_secret_y", "é"])
def test_a_wrong_client_secret_shows_and_changes_nothing(
    fakestripe: FakeStripe, shop: Shop, secret: str
) -> None:
    intent_id, _address = challenged(shop, f"{shop.url}/done")
    address = f"{fakestripe.url}/_3ds/{intent_id}"
    seen = requests.get(address, params={"client_secret": secret}, timeout=5)
    sent = requests.post(address, data={"client_secret": secret, "outcome": "complete"}, timeout=5)
    assert (seen.status_code, sent.status_code) == (404, 404)
    assert "$10.00" not in seen.text
    assert shop.client.v1.payment_intents.retrieve(intent_id).status == "requires_action"


def test_an_unknown_outcome_changes_nothing(shop: Shop) -> None:
    intent_id, address = challenged(shop, f"{shop.url}/done")
    secret = query_of(address)["client_secret"]
    form = {"client_secret": secret, "outcome": "perhaps"}
    assert requests.post(address.split("?")[0], data=form, timeout=5).status_code == 404
    assert shop.client.v1.payment_intents.retrieve(intent_id).status == "requires_action"
