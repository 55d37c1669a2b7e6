"""The Payment Element: what it says while somebody types, and what it tells the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.fakestripe.browser.buyer import DEFERRED, Buyer

pytestmark = pytest.mark.browser

NUMBER, EXPIRY, CODE = "Card number", "Expiration date", "Security code"

INCOMPLETE_OR_WRONG = [
    ("", "12 / 34", "123", "incomplete_number", "Your card number is incomplete."),
    ("4242", "12 / 34", "123", "incomplete_number", "Your card number is incomplete."),
    ("4242424242424241", "12 / 34", "123", "invalid_number", "Your card number is invalid."),
    ("9999999999999995", "12 / 34", "123", "invalid_number", "Your card number is invalid."),
    (
        "4242424242424242", "12", "123",
        "incomplete_expiry", "Your card's expiration date is incomplete.",
    ),
    (
        "4242424242424242", "12 / 20", "123",
        "invalid_expiry_year_past", "Your card's expiration year is in the past.",
    ),
    (
        "4242424242424242", "12 / 99", "123",
        "invalid_expiry_year", "Your card's expiration year is invalid.",
    ),
    (
        "4242424242424242", "12 / 34", "12",
        "incomplete_cvc", "Your card's security code is incomplete.",
    ),
    (
        "378282246310005", "12 / 34", "123",
        "incomplete_cvc", "Your card's security code is incomplete.",
    ),
]  # fmt: skip


@pytest.mark.always
def test_what_is_incomplete_or_wrong_is_said_at_the_field_and_to_the_page(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    for number, expiry, code, error_code, message in INCOMPLETE_OR_WRONG:
        buyer.fills_in(number, expiry, code)
        buyer.pays()
        buyer.sees(message)
        error = buyer.result()["error"]
        assert error == {"type": "validation_error", "code": error_code, "message": message}
        wrong = buyer.form.locator("[aria-invalid=true]")
        expect(wrong).to_have_count(1)
        expect(wrong).to_be_focused()
        expect(wrong).to_have_accessible_description(message)
        assert buyer.page.evaluate("clientSecret") is None  # nothing was asked of the server


@pytest.mark.parametrize(
    ("label", "typed", "shown"),
    [
        (NUMBER, "4242424242424242", "4242 4242 4242 4242"),
        (NUMBER, "378282246310005", "3782 822463 10005"),
        (NUMBER, "4242-4242x42", "4242 4242 42"),
        (NUMBER, "42424242424242429999", "4242 4242 4242 4242"),
        (EXPIRY, "1234", "12 / 34"),
        (EXPIRY, "5", "05 / "),
        (EXPIRY, "1", "1"),
        (EXPIRY, "1/34", "01 / 34"),
        (CODE, "12a3", "123"),
    ],
)
def test_what_is_typed_is_formatted(buyer: Buyer, label: str, typed: str, shown: str) -> None:
    buyer.opens_the_shop()
    field = buyer.form.get_by_label(label)
    field.press_sequentially(typed)
    expect(field).to_have_value(shown)


def test_what_browsers_fill_in_is_formatted(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    for given in ("12/2034", "12 / 34", "1234", "12/34"):
        buyer.form.get_by_label(EXPIRY).fill(given)
        expect(buyer.form.get_by_label(EXPIRY)).to_have_value("12 / 34")


def test_backspace_goes_through_separators(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    field = buyer.form.get_by_label(EXPIRY)
    field.press_sequentially("123")
    for shown in ("12", "1", ""):
        field.press("Backspace")
        expect(field).to_have_value(shown)


def test_a_digit_can_be_put_into_the_middle(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    field = buyer.form.get_by_label(NUMBER)
    field.press_sequentially("42424242")
    for _ in range(5):
        field.press("ArrowLeft")
    field.press_sequentially("77")
    expect(field).to_have_value("4242 7742 42")


def test_a_complete_field_leads_on_to_the_next_and_enter_does_nothing(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.form.get_by_label(NUMBER).press_sequentially("4242424242424242")
    buyer.page.keyboard.type("1234")
    buyer.page.keyboard.type("123")
    expect(buyer.form.get_by_label(EXPIRY)).to_have_value("12 / 34")
    expect(buyer.form.get_by_label(CODE)).to_have_value("123")
    buyer.page.keyboard.press("Enter")
    buyer.waits_until("seen.some((event) => event.complete)")
    assert buyer.page.locator("#result").inner_text() == ""


def test_fields_suit_wallets_of_browsers_and_phones(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    wanted = {NUMBER: "cc-number", EXPIRY: "cc-exp", CODE: "cc-csc"}
    for label, autocomplete in wanted.items():
        field = buyer.form.get_by_label(label)
        expect(field).to_have_attribute("autocomplete", autocomplete)
        expect(field).to_have_attribute("inputmode", "numeric")


def test_the_page_hears_of_every_change(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.fills_in("4242424242424242")
    buyer.waits_until("seen.some((event) => event.name === 'change' && event.complete)")
    events = buyer.page.evaluate("seen")
    assert [event["name"] for event in events][:2] == ["loaderstart", "ready"]
    assert all(event["elementType"] == "payment" for event in events)
    first, last = ([e for e in events if e["name"] == "change"][place] for place in (0, -1))
    assert (first["complete"], last["complete"]) == (False, True)
    assert last["value"] == {"type": "card"}
    assert "focus" in {event["name"] for event in events}


def test_the_page_can_focus_and_clear_the_form(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.page.evaluate("void payment.focus()")
    expect(buyer.form.get_by_label(NUMBER)).to_be_focused()
    buyer.fills_in("4242424242424242")
    buyer.page.evaluate("void payment.clear()")
    expect(buyer.form.get_by_label(NUMBER)).to_have_value("")
    buyer.page.evaluate("void payment.blur()")
    expect(buyer.form.get_by_label(NUMBER)).not_to_be_focused()


def test_it_can_be_unmounted_and_mounted_again(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.page.evaluate("void payment.unmount()")
    expect(buyer.page.locator("#payment-element iframe")).to_have_count(0)
    buyer.page.evaluate("void payment.mount(document.getElementById('payment-element'))")
    expect(buyer.form.get_by_label(NUMBER)).to_be_visible()
    buyer.page.evaluate("payment.destroy()")
    assert "already been destroyed" in buyer.tries("payment.mount('#payment-element')")
    assert buyer.page.evaluate("elements.getElement('payment')") is None


def test_the_frame_is_as_high_as_its_content(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    height = "document.querySelector('#payment-element iframe').offsetHeight"
    buyer.waits_until(f"{height} > 200")
    before = buyer.page.evaluate(height)
    buyer.form.get_by_text("All test cards").click()
    buyer.waits_until(f"{height} > {before} + 50")


def test_a_number_of_the_list_of_test_cards_fills_the_form(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.form.get_by_text("All test cards").click()
    buyer.form.get_by_role("button", name="4000 0000 0000 9995").click()
    expect(buyer.form.get_by_label(NUMBER)).to_have_value("4000 0000 0000 9995")
    buyer.pays()
    buyer.sees("Your card has insufficient funds.")


def test_methods_follow_currency_and_filters(buyer: Buyer) -> None:
    for group, methods in (
        ({}, ["Card", "US bank account"]),
        ({"currency": "eur"}, ["Card", "SEPA Direct Debit"]),
        ({"currency": "gbp"}, []),  # a single method needs no choice
        ({"allowedPaymentMethodTypes": ["us_bank_account", "card"]}, ["Card", "US bank account"]),
        ({"excludedPaymentMethodTypes": ["us_bank_account"]}, []),
    ):
        buyer.opens_the_shop({**DEFERRED, **group})
        shown = buyer.form.locator(".Tab:visible .TabLabel").all_inner_texts()
        assert shown == methods, group


def test_methods_can_be_chosen_by_keyboard(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.form.get_by_role("radio", name="Card").focus()
    buyer.page.keyboard.press("ArrowDown")
    expect(buyer.form.get_by_label("Routing number")).to_be_visible()
    buyer.page.evaluate("void payment.collapse()")
    expect(buyer.form.get_by_label("Routing number")).to_be_hidden()
    buyer.pays()
    buyer.sees("Please select a payment method.")


def test_appearance_is_applied_and_can_change(buyer: Buyer) -> None:
    variables = {"colorPrimary": "rgb(1, 2, 3)", "borderRadius": "13px"}
    rules = {".Input": {"borderTopWidth": "7px"}, ".Label, .Tab": {"fontWeight": "700"}}
    appearance = {"theme": "flat", "variables": variables, "rules": rules}
    buyer.opens_the_shop({**DEFERRED, "appearance": appearance})
    field = buyer.form.get_by_label(NUMBER)
    expect(field).to_have_css("border-radius", "13px")
    expect(field).to_have_css("border-top-width", "7px")
    expect(buyer.form.locator(".Label").first).to_have_css("font-weight", "700")
    buyer.page.evaluate("elements.update({appearance: {theme: 'night'}})")
    expect(field).to_have_css("border-top-width", "1px")
    expect(field).to_have_css("color", "rgb(255, 255, 255)")


def test_known_details_are_filled_in_or_left_out(buyer: Buyer) -> None:
    details = {"name": "Jenny Rosen", "email": "jenny@example.com", "address": {"country": "AT"}}
    element = {
        "layout": "tabs",
        "defaultValues": {"billingDetails": details},
        "fields": {"billingDetails": {"email": "never"}},
    }
    buyer.opens_the_shop(element=element)
    expect(buyer.form.get_by_label("Country")).to_have_value("AT")
    buyer.form.get_by_text("US bank account").click()
    expect(buyer.form.get_by_label("Full name")).to_have_value("Jenny Rosen")
    expect(buyer.form.get_by_label("Email")).to_be_hidden()


@pytest.mark.always
def test_card_numbers_never_reach_the_page(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    buyer.page.evaluate(
        "window.addEventListener('message', (event) => seen.push({message: event.data}))"
    )
    buyer.fills_in("4242424242424242")
    buyer.pays()
    buyer.sees("succeeded")
    heard = buyer.page.evaluate("JSON.stringify([seen, window.outcome])")
    assert "4242424242424242" not in heard
    assert "4242 4242 4242 4242" not in heard


def test_messages_of_strangers_are_ignored(buyer: Buyer) -> None:
    buyer.opens_the_shop()
    frame_name = buyer.page.locator("#payment-element iframe").get_attribute("name")
    buyer.page.evaluate(
        "(frame) => window.postMessage({frame, kind: 'event', event: 'height',"
        " detail: {pixels: 7777}}, '*')",
        frame_name,
    )
    buyer.fills_in("4242424242424242")  # long enough for the message to have arrived
    assert (
        buyer.page.locator("#payment-element iframe").evaluate("node => node.offsetHeight") < 2000
    )
