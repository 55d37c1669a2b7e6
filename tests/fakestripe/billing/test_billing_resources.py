"""Every billing answer carries the fields that the SDK's resource classes declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from storefront.fakestripe.billing import checkout_page
from tests.fakestripe.billing.shop import (
    billed,
    card_details,
    item_on,
    on_page,
    payer,
    portal_configuration,
    price,
    product,
    session,
    subscribed,
)
from tests.fakestripe.harness import FakeStripe
from tests.fakestripe.sdk_shapes import (
    enumerated,
    field_names,
    missing_fields,
    nested_class,
    object_faults,
    resource,
)

JSON = dict[str, Any]


def raw(fake: FakeStripe, path: str, **params: Any) -> JSON:
    """Ask without the SDK, which would hide a surplus field in its own attributes."""
    headers = {"Authorization": "Bearer sk_test_fakestripe"}
    url = f"{fake.url}/v1/{path}"
    body: JSON = requests.get(url, params=params, headers=headers, timeout=10).json()
    assert "error" not in body, body
    return body


def one_price(fake: FakeStripe) -> JSON:
    return raw(fake, f"prices/{price(fake.client()).id}")


def one_coupon(fake: FakeStripe) -> JSON:
    made = fake.client().v1.coupons.create({"percent_off": 12.5, "duration": "forever"})
    return raw(fake, f"coupons/{made.id}")


def promotion_code(fake: FakeStripe) -> JSON:
    client = fake.client()
    coupon = client.v1.coupons.create({"amount_off": 100, "currency": "usd"})
    made = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    return raw(fake, f"promotion_codes/{made.id}")


def new_session(fake: FakeStripe) -> JSON:
    made = session(fake.client(), automatic_tax={"enabled": True}, allow_promotion_codes=True)
    return raw(fake, f"checkout/sessions/{made.id}")


def completed_session(fake: FakeStripe) -> JSON:
    made = session(fake.client())
    on_page(fake, checkout_page.confirm, made.id, card_details())
    return raw(fake, f"checkout/sessions/{made.id}")


def session_line(fake: FakeStripe) -> JSON:
    made = session(fake.client())
    line: JSON = raw(fake, f"checkout/sessions/{made.id}/line_items")["data"][0]
    return line


def active(fake: FakeStripe) -> JSON:
    return raw(fake, f"subscriptions/{subscribed(fake.client()).id}")


def trialing(fake: FakeStripe) -> JSON:
    return raw(fake, f"subscriptions/{subscribed(fake.client(), trial_period_days=7).id}")


def paused(fake: FakeStripe) -> JSON:
    made = subscribed(fake.client())
    fake.client().v1.subscriptions.pause(made.id)
    return raw(fake, f"subscriptions/{made.id}")


def subscription_item(fake: FakeStripe) -> JSON:
    return raw(fake, f"subscription_items/{active(fake)['items']['data'][0]['id']}")


def paid_invoice(fake: FakeStripe) -> JSON:
    return raw(fake, f"invoices/{active(fake)['latest_invoice']}")


def open_invoice(fake: FakeStripe) -> JSON:
    made = subscribed(fake.client(), payment_behavior="default_incomplete")
    return raw(fake, f"invoices/{made.latest_invoice}", **{"expand[]": "confirmation_secret"})


def invoice_line(fake: FakeStripe) -> JSON:
    line: JSON = paid_invoice(fake)["lines"]["data"][0]
    return line


def invoice_item(fake: FakeStripe) -> JSON:
    return raw(fake, f"invoiceitems/{item_on(fake.client(), payer(fake.client())).id}")


def invoice_by_hand(fake: FakeStripe) -> JSON:
    client = fake.client()
    customer = payer(client)
    item_on(client, customer)
    return raw(fake, f"invoices/{billed(client, customer).id}")


def line_by_hand(fake: FakeStripe) -> JSON:
    line: JSON = invoice_by_hand(fake)["lines"]["data"][0]
    return line


def invoice_preview(fake: FakeStripe) -> JSON:
    made = subscribed(fake.client())
    body: JSON = fake.client().v1.invoices.create_preview({"subscription": made.id}).to_dict()
    return body


def invoice_payment(fake: FakeStripe) -> JSON:
    found: JSON = raw(fake, "invoice_payments", invoice=paid_invoice(fake)["id"])["data"][0]
    return found


def discount(fake: FakeStripe) -> JSON:
    client = fake.client()
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    made = subscribed(client, discounts=[{"coupon": coupon.id}])
    body = raw(fake, f"subscriptions/{made.id}", **{"expand[]": "discounts"})
    found: JSON = body["discounts"][0]
    return found


def setup_intent(fake: FakeStripe) -> JSON:
    made = session(fake.client(), mode="setup", currency="usd")
    on_page(fake, checkout_page.confirm, made.id, card_details())
    return raw(fake, f"setup_intents/{raw(fake, f'checkout/sessions/{made.id}')['setup_intent']}")


def configuration(fake: FakeStripe) -> JSON:
    client = fake.client()
    return raw(fake, "billing_portal/configurations/"
               + portal_configuration(client, [price(client)]).id)  # fmt: skip


def portal_session(fake: FakeStripe) -> JSON:
    client = fake.client()
    one = price(client)
    other = price(client, 9000, "year", product=one.product)
    setting = portal_configuration(client, [one, other])
    made: Any = subscribed(client, price_id=one.id)
    item = made["items"].data[0]
    flow: Any = {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": made.id, "items": [{"id": item.id, "price": other.id}],
        },
        "after_completion": {"type": "redirect", "redirect": {"return_url": "https://s.test/"}},
    }  # fmt: skip
    body: JSON = client.v1.billing_portal.sessions.create(
        {
            "customer": str(made.customer),
            "configuration": setting.id,
            "return_url": "https://s.test/",
            "flow_data": flow,
        }
    ).to_dict()
    return body


BUILDERS: dict[str, Callable[[FakeStripe], JSON]] = {
    "product": lambda fake: raw(fake, f"products/{product(fake.client()).id}"),
    "price": one_price,
    "coupon": one_coupon,
    "promotion code": promotion_code,
    "new session": new_session,
    "completed session": completed_session,
    "session line": session_line,
    "active subscription": active,
    "trialing subscription": trialing,
    "paused subscription": paused,
    "subscription item": subscription_item,
    "paid invoice": paid_invoice,
    "open invoice": open_invoice,
    "invoice line": invoice_line,
    "invoice item": invoice_item,
    "invoice by hand": invoice_by_hand,
    "line by hand": line_by_hand,
    "invoice preview": invoice_preview,
    "invoice payment": invoice_payment,
    "discount": discount,
    "setup intent": setup_intent,
    "portal configuration": configuration,
    "portal session": portal_session,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_an_answer_has_every_declared_field_and_no_other(fakestripe: FakeStripe, name: str) -> None:
    answer = BUILDERS[name](fakestripe)
    assert missing_fields(answer) == set()
    assert object_faults(answer, resource(answer), answer["object"]) == []


COMPLETE_HASHES = [
    ("price", "recurring"),
    ("promotion code", "promotion"),
    ("new session", "automatic_tax"),
    ("completed session", "customer_details"),
    ("new session", "custom_text"),
    ("new session", "saved_payment_method_options"),
    ("active subscription", "billing_mode"),
    ("active subscription", "cancellation_details"),
    ("active subscription", "invoice_settings"),
    ("active subscription", "payment_settings"),
    ("trialing subscription", "trial_settings.end_behavior"),
    ("paused subscription", "status_details.paused"),
    ("paid invoice", "automatic_tax"),
    ("paid invoice", "status_transitions"),
    ("paid invoice", "parent"),
    ("open invoice", "confirmation_secret"),
    ("invoice line", "parent.subscription_item_details"),
    ("invoice line", "pricing.price_details"),
    ("invoice line", "period"),
    ("portal configuration", "features"),
    ("portal configuration", "features.subscription_cancel.cancellation_reason"),
    ("portal configuration", "features.subscription_update"),
    ("portal configuration", "business_profile"),
    ("portal session", "flow"),
    ("portal session", "flow.after_completion"),
    ("portal session", "flow.subscription_update_confirm"),
    ("discount", "source"),
]


@pytest.mark.parametrize(("name", "path"), COMPLETE_HASHES)
def test_a_nested_hash_has_every_declared_field(
    fakestripe: FakeStripe, name: str, path: str
) -> None:
    answer = BUILDERS[name](fakestripe)
    kind: Any = resource(answer)
    for part in path.split("."):
        answer, kind = answer[part], nested_class(kind, part)
    assert set(answer) == field_names(kind)


def test_statuses_are_those_that_the_sdk_lists(fakestripe: FakeStripe) -> None:
    for kind, names in (
        (stripe.Subscription, ("active", "trialing", "paused")),
        (stripe.Invoice, ("paid", "open")),
    ):
        known = enumerated(kind.__annotations__["status"])
        word = kind.__name__.lower()
        seen = {BUILDERS[f"{name} {word}"](fakestripe)["status"] for name in names}
        assert seen == set(names) and seen <= known
