"""A customer at a browser: what people do, in the words of the pages."""

import re
import uuid
from copy import copy

from playwright.sync_api import BrowserContext, FrameLocator, expect

PASSWORD = "correct horse battery"


class Buyer:
    """A customer with a browser of their own; further tabs share the sign-in."""

    def __init__(self, context: BrowserContext, shop_url: str) -> None:
        self.context = context
        self.shop_url = shop_url
        self.email = f"buyer-{uuid.uuid4().hex[:12]}@example.com"
        self.page = context.new_page()

    def registers(self) -> "Buyer":
        self.visits("/register")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Create account").click()
        expect(self.page.get_by_test_id("balance")).to_have_text("0")
        return self

    def opens_another_tab(self) -> "Buyer":
        """The same customer, signed in alike, in a second tab."""
        other = copy(self)
        other.page = self.context.new_page()
        return other

    def visits(self, path: str) -> None:
        self.page.goto(self.shop_url + path)

    def opens_top_up(self, amount: str = "$10") -> None:
        self.visits("/top-up")
        self.chooses(amount)

    def chooses(self, amount: str) -> None:
        self.page.get_by_role("radio", name=amount, exact=True).check()

    @property
    def card_fields(self) -> FrameLocator:
        return self.page.frame_locator("#payment-element iframe")

    def enters_card(self, number: str) -> None:
        self.card_fields.get_by_label("Card number").fill(number)
        self.card_fields.get_by_label("Expiration date").fill("12 / 34")
        self.card_fields.get_by_label("Security code").fill("123")

    def presses_pay(self) -> None:
        self.page.get_by_role("button", name=re.compile(r"^Pay ")).click()

    def buys(self, amount: str, card: str = "4242 4242 4242 4242") -> None:
        self.opens_top_up(amount)
        self.enters_card(card)
        self.presses_pay()

    def answers_challenge(self, button: str) -> None:
        """Press Complete or Fail in the 3-D Secure challenge."""
        challenge = self.page.frame_locator("iframe[src*='/_3ds/']")
        challenge.get_by_role("button", name=button, exact=True).click()

    def sees_success(self, balance: str) -> None:
        expect(self.page.get_by_text("Payment succeeded")).to_be_visible()
        self.sees_balance(balance)

    def sees_balance(self, balance: str) -> None:
        expect(self.page.get_by_test_id("balance").first).to_have_text(balance)

    def sees_error(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("alert").filter(has_text=text)).to_be_visible()

    @property
    def payment_id(self) -> str:
        """The payment whose page is open."""
        return self.page.url.rsplit("/", 1)[1].split("?")[0]
