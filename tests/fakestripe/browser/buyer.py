"""A buyer at the throw-away shop: what a person does there, in words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, FrameLocator, Page, expect

DECLINED = "status of 402"  # Chromium reports each refused charge as a failed resource

WAIT_SECONDS = 15

DEFERRED: dict[str, Any] = {"mode": "payment", "amount": 1000, "currency": "usd"}


@dataclass
class Buyer:
    """Drives one page and remembers everything that the browser complained about."""

    page: Page
    shop_url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and DECLINED not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def opens_the_shop(
        self,
        group: dict[str, Any] | None = None,
        element: dict[str, Any] | None = None,
        **pay: Any,
    ) -> None:
        """Open the page and wait for the payment form. pay: intent, submits, redirect."""
        self.page.goto(self.shop_url)
        arguments = (json.dumps(part) for part in (group or DEFERRED, element or {}, pay))
        self.page.evaluate(f"start({', '.join(arguments)})")
        expect(self.page).to_have_title("ready")

    @property
    def form(self) -> FrameLocator:
        """The Payment Element's inside."""
        return self.page.frame_locator("#payment-element iframe")

    @property
    def challenge(self) -> FrameLocator:
        """The inside of the 3-D Secure modal."""
        return self.page.frame_locator("dialog iframe")

    def fills_in(self, number: str, expiry: str = "12 / 34", code: str = "123") -> None:
        self.form.get_by_label("Card number").fill(number)
        self.form.get_by_label("Expiration date").fill(expiry)
        self.form.get_by_label("Security code").fill(code)

    def pays(self) -> None:
        self.page.get_by_role("button", name="Pay", exact=True).click()

    def sees(self, text: str) -> None:
        expect(self.page.locator("#result")).to_have_text(text)

    def answers(self, button: str) -> None:
        """Press Complete or Fail in the challenge."""
        self.challenge.get_by_role("button", name=button, exact=True).click()
        expect(self.page.locator("dialog")).to_have_count(0)

    def waits_until(self, expression: str) -> None:
        """Poll the page (its CSP forbids the eval in Playwright's wait_for_function)."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            self.page.wait_for_timeout(20)

    def result(self) -> dict[str, Any]:
        """What confirmPayment resolved with."""
        result: dict[str, Any] = self.page.evaluate("window.outcome")
        return result

    def tries(self, expression: str) -> str:
        """Evaluate a call in the page; return name and message of what it throws, or ''."""
        thrown: str = self.page.evaluate(
            f"(async () => {{ try {{ await ({expression}); return ''; }}"
            " catch (error) { return `${error.name}: ${error.message}`; } })()"
        )
        return thrown
