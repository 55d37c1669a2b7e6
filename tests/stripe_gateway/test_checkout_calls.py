"""Checkout Sessions and the Customer Portal, asked for at a real fakestripe."""

from typing import Any

import pytest

from storefront.errors import NotFound, StripeRefused
from storefront.fakestripe.billing import checkout_page
from storefront.stripe_gateway import (
    CheckoutSession,
    ConfigurationMissing,
    CustomerMissing,
    PriceMissing,
    StripeGateway,
)
from tests.fakestripe.billing.shop import card_details, on_page, price
from tests.fakestripe.harness import FakeStripe

METADATA = {"user_id": "usr_1", "checkout_id": "chk_1"}


def opened(gateway: StripeGateway, customer: str, price_id: str, **changes: Any) -> CheckoutSession:
    given: dict[str, Any] = {
        "idempotency_key": "chk_1:1",
        "mode": "subscription",
        "customer_id": customer,
        "price_id": price_id,
        "quantity": 1,
        "client_reference_id": "usr_1",
        "metadata": METADATA,
        "success_url": "https://shop.example/billing?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/billing",
    }
    return gateway.create_checkout_session(**(given | changes))


@pytest.fixture
def monthly(fakestripe: FakeStripe) -> str:
    return price(fakestripe.client(), 4900).id


@pytest.fixture
def once(fakestripe: FakeStripe) -> str:
    return price(fakestripe.client(), 2900, interval=None).id


def test_a_subscription_is_opened(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    session = opened(gateway, customer, monthly)
    assert (session.mode, session.status, session.payment_status) == (
        "subscription", "open", "unpaid",
    )  # fmt: skip
    assert (session.customer_id, session.client_reference_id) == (customer, "usr_1")
    assert session.checkout_id == "chk_1"
    assert (session.amount_subtotal, session.amount_total, session.currency) == (4900, 4900, "usd")
    assert session.url and session.url.startswith(fakestripe.url)
    assert (session.subscription_id, session.intent_id, session.invoice_id) == (None, None, None)
    shown = fakestripe.client().v1.checkout.sessions.retrieve(session.id)
    assert shown.allow_promotion_codes is True
    assert shown.success_url == "https://shop.example/billing?session_id={CHECKOUT_SESSION_ID}"
    assert shown.automatic_tax.enabled is False


def test_the_same_key_opens_the_same_session(
    gateway: StripeGateway, customer: str, monthly: str
) -> None:
    assert opened(gateway, customer, monthly).id == opened(gateway, customer, monthly).id
    other = opened(gateway, customer, monthly, idempotency_key="chk_1:2")
    assert other.id != opened(gateway, customer, monthly).id


def test_a_key_that_was_used_for_something_else_is_refused(
    gateway: StripeGateway, customer: str, monthly: str
) -> None:
    opened(gateway, customer, monthly)
    with pytest.raises(StripeRefused):
        opened(gateway, customer, monthly, cancel_url="https://shop.example/elsewhere")


def test_a_subscription_carries_our_metadata(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    session = opened(gateway, customer, monthly, trial_days=14)
    _pays(fakestripe, session.id)
    made = gateway.retrieve_checkout_session(session.id).subscription_id or ""
    shown = fakestripe.client().v1.subscriptions.retrieve(made)
    assert shown.metadata.to_dict() == METADATA
    assert shown.status == "trialing"
    assert shown.trial_settings.end_behavior.missing_payment_method == "cancel"  # type: ignore[union-attr]
    facts = gateway.retrieve_subscription(made)
    assert facts.trial_start and facts.trial_end
    assert (facts.trial_end - facts.trial_start).days == 14


def test_a_payment_intent_carries_our_metadata(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, once: str
) -> None:
    session = opened(gateway, customer, once, mode="payment", quantity=2)
    assert session.amount_total == 5800
    _pays(fakestripe, session.id)
    made = gateway.retrieve_checkout_session(session.id).intent_id or ""
    shown = fakestripe.client().v1.payment_intents.retrieve(made)
    assert shown.metadata.to_dict() == METADATA
    assert gateway.retrieve_payment_intent(made).payment_id is None, "none of our top-ups"


def test_no_trial_means_no_trial(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    session = opened(gateway, customer, monthly)
    _pays(fakestripe, session.id)
    made = gateway.retrieve_checkout_session(session.id).subscription_id or ""
    assert gateway.retrieve_subscription(made).status == "active"


def test_tax_is_computed_where_it_is_asked_for(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    session = opened(gateway, customer, monthly, automatic_tax=True)
    shown = fakestripe.client().v1.checkout.sessions.retrieve(session.id)
    assert shown.automatic_tax.enabled is True


def test_a_completed_session_says_what_it_made(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str, once: str
) -> None:
    session = opened(gateway, customer, monthly)
    _pays(fakestripe, session.id)
    complete = gateway.retrieve_checkout_session(session.id)
    assert (complete.status, complete.payment_status, complete.url) == ("complete", "paid", None)
    assert complete.subscription_id and complete.invoice_id
    bought = opened(gateway, customer, once, mode="payment", idempotency_key="chk_2:1")
    _pays(fakestripe, bought.id)
    assert gateway.retrieve_checkout_session(bought.id).intent_id


def test_a_session_is_closed_once_and_a_complete_one_never(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    session = opened(gateway, customer, monthly)
    gateway.expire_checkout_session(session.id)
    gateway.expire_checkout_session(session.id)
    assert gateway.retrieve_checkout_session(session.id).status == "expired"
    other = opened(gateway, customer, monthly, idempotency_key="chk_2:1")
    _pays(fakestripe, other.id)
    gateway.expire_checkout_session(other.id)
    assert gateway.retrieve_checkout_session(other.id).status == "complete"


def test_unknown_sessions(gateway: StripeGateway) -> None:
    with pytest.raises(NotFound):
        gateway.retrieve_checkout_session("cs_test_unknown")
    with pytest.raises(NotFound):
        gateway.expire_checkout_session("cs_test_unknown")


def test_a_customer_who_is_gone(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    configuration = _configuration(gateway, fakestripe, monthly)
    fakestripe.client().v1.customers.delete(customer)
    with pytest.raises(CustomerMissing) as missing:
        opened(gateway, customer, monthly)
    assert missing.value.customer_id == customer
    with pytest.raises(CustomerMissing):
        _portal(gateway, customer, configuration)


def test_a_price_that_cannot_be_bought(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    with pytest.raises(PriceMissing) as missing:
        opened(gateway, customer, "price_unknown")
    assert missing.value.price_id == "price_unknown"
    fakestripe.client().v1.prices.update(monthly, {"active": False})
    with pytest.raises(PriceMissing):
        opened(gateway, customer, monthly, idempotency_key="chk_1:2")


def test_a_price_of_the_wrong_kind_is_our_mistake(
    gateway: StripeGateway, customer: str, monthly: str
) -> None:
    with pytest.raises(StripeRefused):
        opened(gateway, customer, monthly, mode="payment")


def test_the_portal_opens(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    configuration = _configuration(gateway, fakestripe, monthly)
    assert configuration == _configuration(gateway, fakestripe, monthly)  # the same key
    assert _portal(gateway, customer, configuration).startswith(fakestripe.url)
    flow = {"type": "payment_method_update"}
    assert _portal(gateway, customer, configuration, flow).startswith(fakestripe.url)
    shown = fakestripe.control("objects?type=billing_portal.session&limit=10")["data"]
    assert {each["flow"]["type"] if each["flow"] else None for each in shown} == {
        None, "payment_method_update",
    }  # fmt: skip
    assert {each["return_url"] for each in shown} == {"https://shop.example/billing"}


def test_a_portal_configuration_that_cannot_be_used(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    with pytest.raises(ConfigurationMissing) as missing:
        _portal(gateway, customer, "bpc_unknown")
    assert missing.value.configuration_id == "bpc_unknown"
    _configuration(gateway, fakestripe, monthly)  # becomes the default, which stays on
    second = _configuration(gateway, fakestripe, monthly, key="another")
    fakestripe.client().v1.billing_portal.configurations.update(second, {"active": False})
    with pytest.raises(ConfigurationMissing):
        _portal(gateway, customer, second)


def test_a_flow_about_nothing(
    gateway: StripeGateway, fakestripe: FakeStripe, customer: str, monthly: str
) -> None:
    configuration = _configuration(gateway, fakestripe, monthly)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": "sub_unknown"}}
    with pytest.raises(NotFound) as missing:
        _portal(gateway, customer, configuration, flow)
    assert not isinstance(missing.value, CustomerMissing | ConfigurationMissing)


def test_a_configuration_that_makes_no_sense(gateway: StripeGateway) -> None:
    features = {"subscription_update": {"enabled": True}}
    with pytest.raises(StripeRefused):
        gateway.create_portal_configuration(idempotency_key="k", content={"features": features})


def _portal(gateway: StripeGateway, customer: str, configuration: str, flow: Any = None) -> str:
    return gateway.create_portal_session(
        customer_id=customer,
        configuration_id=configuration,
        return_url="https://shop.example/billing",
        flow=flow,
    )


def _configuration(
    gateway: StripeGateway, fakestripe: FakeStripe, price_id: str, key: str = "portal"
) -> str:
    product = fakestripe.client().v1.prices.retrieve(price_id).product
    update = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "products": [{"product": product, "prices": [price_id]}],
    }
    content = {
        "features": {
            "subscription_update": update,
            "subscription_cancel": {"enabled": True},
            "payment_method_update": {"enabled": True},
        }
    }
    return gateway.create_portal_configuration(idempotency_key=key, content=content)


def _pays(fakestripe: FakeStripe, session_id: str) -> None:
    """As the customer does on Stripe's page."""
    assert on_page(fakestripe, checkout_page.confirm, session_id, card_details()) == {
        "status": "complete"
    }
