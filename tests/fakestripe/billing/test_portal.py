"""The Customer Portal: configurations, sessions and flows, and what its pages do."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe.account import Work
from storefront.fakestripe.billing import portal_page as portal
from storefront.fakestripe.errors import ApiError
from storefront.fakestripe.records import Record
from tests.fakestripe.billing.shop import (
    ALWAYS_3DS,
    DAY,
    DECLINED,
    FAILS_LATER,
    VISA,
    card_details,
    found,
    page,
    payer,
    portal_configuration,
    price,
    product,
    subscribed,
    types_since,
    use_card,
)
from tests.fakestripe.harness import FakeStripe

BACK = "https://shop.example/billing"


class Visitor:
    """A customer with a monthly subscription, in the portal."""

    def __init__(self, fake: FakeStripe, **update: Any) -> None:
        self.fake, self.client = fake, fake.client()
        sold = product(self.client).id
        self.monthly = price(self.client, product=sold)
        self.yearly = price(self.client, 9000, "year", product=sold)
        self.dear = price(self.client, 3000)
        listed = [self.monthly, self.yearly, self.dear]
        self.configuration = portal_configuration(self.client, listed, **update)
        self.customer = payer(self.client)
        made: Any = subscribed(self.client, self.customer, self.monthly.id)
        self.id, self.item = made.id, made["items"].data[0].id
        self.session = self.opens()

    def opens(self, **flow: Any) -> Any:
        """Create a portal session, for a flow if one is given."""
        params: Any = {"customer": self.customer, "return_url": BACK,
                       "configuration": self.configuration.id}  # fmt: skip
        if flow:
            params["flow_data"] = flow
        return self.client.v1.billing_portal.sessions.create(params)

    def does(self, act: Any, *given: Any) -> Any:
        """Call one of the pages' functions on the subscription; a refusal is kept and raised."""
        with page(self.fake) as work:
            bps, subscription = found(work, self.session.id), found(work, self.id)
            try:
                return act(work, bps, subscription, *given)
            except ApiError as error:
                refused = error
        raise refused

    def saves(self, number: str) -> Any:
        def act(work: Work, bps: Record, subscription: Record) -> Any:
            data = card_details(number)["payment_method_data"]
            return portal.set_card(work, bps, data)

        return self.does(act)

    @property
    def subscription(self) -> Any:
        return self.client.v1.subscriptions.retrieve(self.id)


@pytest.fixture
def visitor(alone: FakeStripe) -> Visitor:
    return Visitor(alone)


def test_the_first_configuration_is_the_default(alone: FakeStripe) -> None:
    client = alone.client()
    customer = payer(client)
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        client.v1.billing_portal.sessions.create({"customer": customer, "return_url": BACK})
    first = portal_configuration(client, [price(client)])
    second = portal_configuration(client, [price(client)])
    assert (first.is_default, second.is_default) == (True, False)
    listed = client.v1.billing_portal.configurations.list({"is_default": True}).data
    assert [one.id for one in listed] == [first.id]
    made = client.v1.billing_portal.sessions.create({"customer": customer, "return_url": BACK})
    assert (made.configuration, made.flow) == (first.id, None)
    assert made.url == f"{alone.url}/p/session/{made.id}"
    assert alone.events("billing_portal.session.created")


def test_a_configuration_is_changed_feature_by_feature(client: stripe.StripeClient) -> None:
    made = portal_configuration(client, [price(client)])
    changed = client.v1.billing_portal.configurations.update(
        made.id,
        {"features": {"invoice_history": {"enabled": False}}, "metadata": {"hash": "abc"}},
    )
    assert changed.features.invoice_history.enabled is False
    assert changed.features.payment_method_update.enabled is True
    assert changed.metadata is not None and changed.metadata["hash"] == "abc"


@pytest.mark.parametrize(
    ("features", "param"),
    [
        ({"subscription_update": {"enabled": True}},
         "features[subscription_update][default_allowed_updates]"),
        ({"subscription_update": {"enabled": True, "default_allowed_updates": ["price"]}},
         "features[subscription_update][products]"),
        ({"subscription_cancel": {"enabled": True, "proration_behavior": "always_invoice"}},
         "features[subscription_cancel][proration_behavior]"),
        ({"customer_update": {"enabled": True}}, "features[customer_update][allowed_updates]"),
        ({"invoice_history": {"enabled": "maybe"}}, "features[invoice_history][enabled]"),
    ],
)  # fmt: skip
def test_a_bad_configuration_is_refused(
    client: stripe.StripeClient, features: Any, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.billing_portal.configurations.create({"features": features})
    assert caught.value.param == param


def test_every_flow_can_be_opened(visitor: Visitor) -> None:
    one = {"subscription": visitor.id}
    confirm = {**one, "items": [{"id": visitor.item, "price": visitor.yearly.id}]}
    for type, details in {
        "payment_method_update": None, "customer_update": None, "subscription_cancel": one,
        "subscription_update": one, "subscription_pause": one,
        "subscription_update_confirm": confirm,
    }.items():  # fmt: skip
        flow = visitor.opens(type=type, **({type: details} if details else {})).flow
        assert flow.type == type
        if details is not None:
            assert getattr(flow, type).subscription == visitor.id
        assert flow.after_completion.type == "portal_homepage"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"price": "price_missing"}, "[items][0][price]"),
        ({"id": "si_missing"}, "[items][0][id]"),
        ({"price": "current"}, "[items]"),
    ],
)
def test_a_flow_that_cannot_be_done_is_refused(
    visitor: Visitor, change: dict[str, str], param: str
) -> None:
    if change.get("price") == "current":
        change = {"price": visitor.monthly.id}
    item = {"id": visitor.item, "price": visitor.yearly.id, **change}
    details = {"subscription": visitor.id, "items": [item]}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        visitor.opens(type="subscription_update_confirm", subscription_update_confirm=details)
    assert caught.value.param == f"flow_data[subscription_update_confirm]{param}"


def test_a_link_goes_stale_when_nobody_opens_it(visitor: Visitor) -> None:
    def visit(work: Work, bps: Record, subscription: Record) -> bool:
        return portal.visit(work, bps)

    fresh = visitor.opens()
    visitor.fake.advance(200)
    assert visitor.does(visit) is True
    visitor.fake.advance(1800)
    assert visitor.does(visit) is True  # in use
    visitor.session = fresh
    assert visitor.does(visit) is False


def test_the_configured_prices_can_be_chosen(visitor: Visitor) -> None:
    shown = visitor.does(portal.choices)
    assert [(c["price"]["id"], c["current"]) for c in shown] == [
        (visitor.monthly.id, True), (visitor.yearly.id, False), (visitor.dear.id, False),
    ]  # fmt: skip
    other = price(visitor.client, 5)
    with pytest.raises(ApiError, match="cannot be chosen"):
        visitor.does(portal.change, other.id, None)


def test_a_change_costs_what_its_preview_said(visitor: Visitor) -> None:
    item: Any = visitor.subscription["items"].data[0]
    visitor.fake.advance((item.current_period_end - item.current_period_start) / 2)
    shown = visitor.does(portal.preview, visitor.yearly.id, None)
    assert shown["due_now"] == pytest.approx(8500, abs=1)
    assert shown["next"]["amount"] == 9000
    start = len(visitor.fake.events())
    assert visitor.does(portal.change, visitor.yearly.id, None) == {"status": "done"}
    after = visitor.subscription
    invoice: Any = visitor.client.v1.invoices.retrieve(after.latest_invoice)
    assert (invoice.status, invoice.amount_paid) == ("paid", shown["due_now"])
    assert after["items"].data[0].price.id == visitor.yearly.id
    assert types_since(visitor.fake, start)[:2] == [
        "customer.subscription.updated", "invoice.created",
    ]  # fmt: skip


def test_a_preview_of_a_cheaper_plan_counts_the_credit(alone: FakeStripe) -> None:
    visitor = Visitor(alone)
    visitor.does(portal.change, visitor.yearly.id, None)
    shown = visitor.does(portal.preview, visitor.monthly.id, None)
    assert (shown["due_now"], shown["invoice"]["total"]) == (0, -8000)
    assert shown["next"]["amount"] == 0  # the credit is larger than a month
    assert visitor.does(portal.change, visitor.monthly.id, None) == {"status": "done"}
    assert visitor.client.v1.customers.retrieve(visitor.customer).balance == -8000


def test_prorations_can_wait_for_the_next_invoice(alone: FakeStripe) -> None:
    visitor = Visitor(alone, proration_behavior="create_prorations")
    shown = visitor.does(portal.preview, visitor.dear.id, None)
    assert shown["due_now"] == 0
    assert shown["next"]["amount"] == pytest.approx(3000 + 2000, abs=1)
    visitor.does(portal.change, visitor.dear.id, None)
    alone.advance(32 * DAY)
    paid = alone.events("invoice.paid")[-1]["data"]["object"]
    assert paid["amount_paid"] == shown["next"]["amount"]


def test_a_declined_change_keeps_the_old_plan(visitor: Visitor) -> None:
    visitor.saves(FAILS_LATER)
    events = len(visitor.fake.events())
    with pytest.raises(ApiError, match="declined"):
        visitor.does(portal.change, visitor.dear.id, None)
    after = visitor.subscription
    assert (after.status, after["items"].data[0].price.id) == ("active", visitor.monthly.id)
    assert len(visitor.fake.events()) == events
    assert len(visitor.client.v1.invoices.list({"subscription": visitor.id}).data) == 1


def test_a_change_that_needs_authentication_asks_for_it(visitor: Visitor) -> None:
    visitor.saves(ALWAYS_3DS)
    asked = visitor.does(portal.change, visitor.dear.id, None)
    assert asked["status"] == "requires_action"
    secret = asked["client_secret"]
    url = f"{visitor.fake.url}/_3ds/{secret.partition('_secret_')[0]}/complete"
    visitor.fake.session.post(url, data={"client_secret": secret}, timeout=10).raise_for_status()
    after = visitor.subscription
    assert (after.status, after["items"].data[0].price.id) == ("active", visitor.dear.id)


def test_cancelling_sets_cancel_at_alone_and_renewing_lifts_it(visitor: Visitor) -> None:
    end = visitor.subscription["items"].data[0].current_period_end
    visitor.does(portal.cancel, "too_expensive", "Maybe later")
    after = visitor.subscription
    assert (after.cancel_at, after.cancel_at_period_end) == (end, False)
    assert after.cancellation_details.feedback == "too_expensive"
    told = visitor.fake.events("customer.subscription.updated")[-1]["data"]
    assert told["previous_attributes"]["cancel_at"] is None
    with pytest.raises(stripe.InvalidRequestError, match="already set to be canceled"):
        visitor.opens(type="subscription_cancel", subscription_cancel={"subscription": visitor.id})
    visitor.does(portal.renew)
    assert (visitor.subscription.cancel_at, visitor.subscription.canceled_at) == (None, None)
    visitor.does(portal.cancel, None, None)
    visitor.fake.advance(32 * DAY)
    assert visitor.subscription.status == "canceled"
    assert len(visitor.fake.events("customer.subscription.deleted")) == 1


def test_a_new_card_pays_from_then_on(visitor: Visitor) -> None:
    start = len(visitor.fake.events())
    assert visitor.saves("5555555555554444") == {"status": "done"}
    assert types_since(visitor.fake, start) == [
        "payment_method.attached",
        "setup_intent.created",
        "setup_intent.succeeded",
        "customer.updated",
    ]
    customer = visitor.client.v1.customers.retrieve(
        visitor.customer, {"expand": ["invoice_settings.default_payment_method"]}
    )
    assert customer.invoice_settings is not None
    card: Any = customer.invoice_settings.default_payment_method
    assert card.card.brand == "mastercard"
    with pytest.raises(ApiError, match="declined"):
        visitor.saves(DECLINED)


def test_a_new_card_recovers_a_subscription_in_arrears_at_once(visitor: Visitor) -> None:
    use_card(visitor.client, visitor.customer, "pm_card_chargeCustomerFail")
    visitor.fake.advance(32 * DAY)
    assert visitor.subscription.status == "past_due"
    start = len(visitor.fake.events())
    visitor.saves(VISA)
    assert visitor.subscription.status == "active"
    assert types_since(visitor.fake, start)[-3:] == [
        "invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated",
    ]  # fmt: skip


def test_the_customer_changes_only_what_is_allowed(visitor: Visitor) -> None:
    def act(work: Work, bps: Record, subscription: Record) -> None:
        portal.update_customer(work, bps, {"name": "Jo", "phone": "1", "email": "new@example.com"})

    visitor.does(act)
    customer = visitor.client.v1.customers.retrieve(visitor.customer)
    assert (customer.name, customer.phone, customer.email) == ("Jo", None, "new@example.com")
