"""Plain builders for what the billing tests sell, and the pages' own calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import stripe

from storefront.fakestripe.account import Account, Work
from storefront.fakestripe.errors import ApiError
from storefront.fakestripe.records import Record
from storefront.fakestripe.settings import Settings
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]
DAY = 24 * 3600
SUCCESS_URL = "https://shop.example/done?session_id={CHECKOUT_SESSION_ID}"
CARD: JSON = {"exp_month": 12, "exp_year": 2040, "cvc": "123"}
VISA, DECLINED, ALWAYS_3DS = "4242424242424242", "4000000000000002", "4000002760003184"
FAILS_LATER = "4000000000000341"  # can be saved, and is declined whenever it is charged


def product(client: stripe.StripeClient, name: str = "Pro") -> stripe.Product:
    return client.v1.products.create({"name": name})


def price(
    client: stripe.StripeClient, amount: int = 1000, interval: str | None = "month", **params: Any
) -> stripe.Price:
    """Create a price over $10.00 a month, of a product of its own unless one is named."""
    given: Any = {"currency": "usd", "unit_amount": amount, **params}
    if interval is not None:
        given["recurring"] = {"interval": interval, **given.pop("recurring", {})}
    if "product" not in given:
        given["product"] = product(client).id
    return client.v1.prices.create(given)


def payer(client: stripe.StripeClient, method: str = "pm_card_visa", **params: Any) -> str:
    """Create a customer whose default card is the ready-made one."""
    given: Any = {"email": "jo@example.com", **params}
    made = client.v1.customers.create(given)
    card = client.v1.payment_methods.attach(method, {"customer": made.id})
    settings: Any = {"default_payment_method": card.id}
    client.v1.customers.update(made.id, {"invoice_settings": settings})
    return made.id


def item_on(client: stripe.StripeClient, customer: str, **params: Any) -> stripe.InvoiceItem:
    """Put $20.00 on the customer's next invoice."""
    given: Any = {"customer": customer, "amount": 2000, "currency": "usd", **params}
    return client.v1.invoice_items.create(given)


def billed(client: stripe.StripeClient, customer: str, **params: Any) -> stripe.Invoice:
    """Make a draft of what waits for an invoice."""
    given: Any = {"customer": customer, "pending_invoice_items_behavior": "include", **params}
    return client.v1.invoices.create(given)


def use_card(client: stripe.StripeClient, customer: str, method: str) -> None:
    """Make another ready-made card the customer's default."""
    card = client.v1.payment_methods.attach(method, {"customer": customer})
    settings: Any = {"default_payment_method": card.id}
    client.v1.customers.update(customer, {"invoice_settings": settings})


def subscribed(
    client: stripe.StripeClient,
    customer: str | None = None,
    price_id: str | None = None,
    **params: Any,
) -> stripe.Subscription:
    """Create a subscription to one price."""
    given: Any = {
        "customer": customer or payer(client),
        "items": [{"price": price_id or price(client).id}],
        **params,
    }
    return client.v1.subscriptions.create(given)


def session(
    client: stripe.StripeClient, price_id: str | None = None, **params: Any
) -> stripe.checkout.Session:
    """Create a Checkout Session for a subscription to one price."""
    given: Any = {"mode": "subscription", "success_url": SUCCESS_URL, **params}
    if given["mode"] != "setup" and "line_items" not in given:
        chosen = price_id or price(client).id
        given["line_items"] = [{"price": chosen, "quantity": 1}]
    return client.v1.checkout.sessions.create(given)


def portal_configuration(
    client: stripe.StripeClient, prices: list[stripe.Price], **update: Any
) -> stripe.billing_portal.Configuration:
    """Create a configuration that allows everything, and changes between these prices."""
    products: dict[str, list[str]] = {}
    for one in prices:
        products.setdefault(str(one.product), []).append(one.id)
    features: Any = {
        "customer_update": {"enabled": True, "allowed_updates": ["name", "email"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_pause": {"enabled": True},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": id, "prices": ids} for id, ids in products.items()],
            **update,
        },
    }
    return client.v1.billing_portal.configurations.create({"features": features})


def card_details(number: str = VISA, email: str = "jo@example.com") -> JSON:
    """Return what the Checkout page sends when the customer presses the button."""
    data = {"type": "card", "card": {**CARD, "number": number}}
    return {"payment_method_data": data, "email": email}


@contextmanager
def page(fake: FakeStripe) -> Iterator[Work]:
    """Open a transaction on the running stand-in's database, as its own pages do."""
    port = urlsplit(fake.url).port or 0
    account = Account(Settings(fake.database, port=port))
    try:
        with account.store.writing() as tx:
            yield Work(account, tx)
    finally:
        account.close()


def found(work: Work, id: str) -> Record:
    record = work.tx.records.named(id)
    assert record is not None
    return record


def on_page(fake: FakeStripe, act: Callable[..., Any], id: str, *given: Any) -> Any:
    """Call a page's function on an object; what a refusal had done is kept, as on the page."""
    refused: ApiError | None = None
    with page(fake) as work:
        try:
            return act(work, found(work, id), *given)
        except ApiError as error:
            refused = error
    raise refused


def types_since(fake: FakeStripe, start: int, *without: str) -> list[str]:
    """Return the types of the events after the first `start`, oldest first."""
    types = [event["type"] for event in fake.events()[start:]]
    return [type for type in types if not type.startswith(without)] if without else types
