"""A customer on the hosted pages, and plain builders for what these pages are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import stripe
from playwright.sync_api import ConsoleMessage, FrameLocator, Page, expect

GOOD = "4242424242424242"
MASTERCARD = "5555555555554444"
DECLINED = "4000000000000002"
CHALLENGED = "4000002760003184"
DECLINED_LATER = "4000000000000341"
MONTH = 32 * 24 * 3600


@dataclass
class Visitor:
    """Drives one page and remembers everything that the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def opens(self, url: str | None) -> None:
        assert url is not None
        self.page.goto(url)

    def fills_in(self, number: str, expiry: str = "12 / 34", code: str = "123") -> None:
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiration date").fill(expiry)
        self.page.get_by_label("Security code").fill(code)

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    @property
    def challenge(self) -> FrameLocator:
        return self.page.frame_locator("dialog iframe")

    def answers(self, button: str) -> None:
        self.challenge.get_by_role("button", name=button, exact=True).click()
        expect(self.page.locator("dialog")).to_have_count(0)

    def problem(self, text: str) -> None:
        """See a refusal, announced to screen readers."""
        alerts = self.page.get_by_role("alert").filter(has_text=text)
        expect(alerts).to_be_visible()


@dataclass(frozen=True)
class Merchant:
    """The merchant's side: its products, customers and sessions, through the official SDK."""

    client: stripe.StripeClient
    url: str

    def price(self, amount: int = 2000, interval: str | None = "month", **params: Any) -> str:
        """Create a price of a new product called Pro; return its id."""
        recurring = {"recurring": {"interval": interval}} if interval else {}
        given: Any = {"currency": "usd", "unit_amount": amount, **recurring, **params}
        if "product" not in given:
            given["product"] = self.product()
        return self.client.v1.prices.create(given).id

    def product(self, name: str = "Pro") -> str:
        return self.client.v1.products.create({"name": name}).id

    def customer(self, method: str | None = None) -> str:
        """Create Jenny, with a ready-made card as her default."""
        customer = self.client.v1.customers.create(
            {"email": "jenny@example.com", "name": "Jenny Rosen"}
        )
        if method:
            attached = self.client.v1.payment_methods.attach(method, {"customer": customer.id})
            default: Any = {"invoice_settings": {"default_payment_method": attached.id}}
            self.client.v1.customers.update(customer.id, default)
        return customer.id

    def session(self, price: str, **params: Any) -> stripe.checkout.Session:
        """Create a Checkout Session: a subscription unless `mode` says otherwise."""
        given: Any = {
            "mode": "subscription",
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": f"{self.url}/done?session={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{self.url}/done?canceled=1",
            **params,
        }
        return self.client.v1.checkout.sessions.create(given)

    def session_again(self, id: str) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.retrieve(id)

    def subscription(self, customer: str, price: str, **params: Any) -> stripe.Subscription:
        given: Any = {"customer": customer, "items": [{"price": price}], **params}
        return self.client.v1.subscriptions.create(given)

    def promotion(self, code: str, **coupon: Any) -> str:
        """Create a coupon and a promotion code for it; return the code."""
        given: Any = {"percent_off": 25, "duration": "once", **coupon}
        created = self.client.v1.coupons.create(given)
        promotion: Any = {"type": "coupon", "coupon": created.id}
        self.client.v1.promotion_codes.create({"promotion": promotion, "code": code})
        return code

    def configuration(self, *prices: str, **features: Any) -> str:
        """Create a portal configuration that allows everything, between these prices."""
        products: dict[str, list[str]] = {}
        for id in prices:
            product = self.client.v1.prices.retrieve(id).product
            products.setdefault(str(product), []).append(id)
        listed = [{"product": product, "prices": ids} for product, ids in products.items()]
        given: Any = {
            "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "address"]},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
            "subscription_update": {
                "enabled": True,
                "default_allowed_updates": ["price"],
                "products": listed,
                "proration_behavior": "always_invoice",
            },
            **features,
        }
        return self.client.v1.billing_portal.configurations.create({"features": given}).id

    def portal(self, customer: str, configuration: str, **params: Any) -> str:
        """Create a portal session; return its address."""
        given: Any = {
            "customer": customer,
            "configuration": configuration,
            "return_url": f"{self.url}/done?back=1",
            **params,
        }
        return self.client.v1.billing_portal.sessions.create(given).url
