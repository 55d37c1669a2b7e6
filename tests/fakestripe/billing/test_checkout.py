"""Checkout Sessions: what they are created from, and what follows when a customer confirms."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from storefront.fakestripe.billing import checkout_page as checkout
from storefront.fakestripe.errors import ApiError
from tests.fakestripe.billing.shop import (
    ALWAYS_3DS,
    DAY,
    DECLINED,
    SUCCESS_URL,
    card_details,
    found,
    on_page,
    page,
    payer,
    price,
    product,
    session,
    types_since,
)
from tests.fakestripe.harness import FakeStripe

PROCESSING = "4000009999000014"


def confirm(fake: FakeStripe, id: str, number: str = "4242424242424242") -> Any:
    return on_page(fake, checkout.confirm, id, card_details(number))


def retrieved(fake: FakeStripe, id: str, *expand: str) -> Any:
    return fake.client().v1.checkout.sessions.retrieve(id, {"expand": list(expand)})


def promotion(client: stripe.StripeClient, code: str, **coupon: Any) -> str:
    """Create a promotion code for a coupon; return the code's id."""
    given: Any = coupon or {"percent_off": 20}
    restrictions = given.pop("restrictions", None)
    made = client.v1.coupons.create(given)
    params: Any = {"promotion": {"type": "coupon", "coupon": made.id}, "code": code}
    if restrictions:
        params["restrictions"] = restrictions
    return client.v1.promotion_codes.create(params).id


def test_a_session_begins_open_unpaid_and_without_an_intent(fakestripe: FakeStripe) -> None:
    made: Any = session(fakestripe.client(), metadata={"user": "7"}, client_reference_id="7")
    assert (made.status, made.payment_status, made.ui_mode) == ("open", "unpaid", "hosted_page")
    assert (made.payment_intent, made.subscription, made.amount_total) == (None, None, 1000)
    assert made.url == f"{fakestripe.url}/c/pay/{made.id}"
    assert made.expires_at - made.created == DAY
    assert made.success_url == SUCCESS_URL
    assert made.line_items is None
    lines = retrieved(fakestripe, made.id, "line_items").line_items.data
    assert [(line.amount_total, line.description) for line in lines] == [(1000, "Pro")]


def test_a_subscription_is_created_after_the_payment_and_the_session(alone: FakeStripe) -> None:
    client = alone.client()
    customer = client.v1.customers.create({"email": "jo@example.com"})
    made = session(
        client, customer=customer.id, metadata={"a": "session"},
        subscription_data={"metadata": {"b": "subscription"}},
    )  # fmt: skip
    start = len(alone.events())
    assert confirm(alone, made.id) == {"status": "complete"}
    assert types_since(alone, start) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    done = retrieved(alone, made.id, "subscription", "invoice")
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.subscription.status == "active"
    assert done.subscription.metadata.to_dict() == {"b": "subscription"}
    assert done.metadata.to_dict() == {"a": "session"}
    assert (done.invoice.status, done.invoice.billing_reason) == ("paid", "subscription_create")
    event = alone.events("checkout.session.completed")[0]["data"]["object"]
    assert (event["subscription"], event["invoice"]) == (done.subscription.id, done.invoice.id)
    created = alone.events("customer.subscription.created")[0]["data"]["object"]
    assert created["status"] == "active"
    payments = client.v1.invoice_payments.list({"invoice": done.invoice.id}).data
    assert [one.status for one in payments] == ["paid"]
    with page(alone) as work:
        told = found(work, made.id).private["completed_event"]
    assert told == alone.events("checkout.session.completed")[0]["id"]


def test_the_card_of_checkout_pays_the_renewals(alone: FakeStripe) -> None:
    made = session(alone.client())
    confirm(alone, made.id)
    alone.advance(32 * DAY)
    paid = alone.events("invoice.paid")
    assert [e["data"]["object"]["billing_reason"] for e in paid] == [
        "subscription_create", "subscription_cycle",
    ]  # fmt: skip


def test_a_decline_leaves_no_subscription_and_can_be_followed_by_success(
    alone: FakeStripe,
) -> None:
    client = alone.client()
    made = session(client)
    with pytest.raises(ApiError, match="declined") as caught:
        confirm(alone, made.id, DECLINED)
    assert (caught.value.status, caught.value.code) == (402, "card_declined")
    assert retrieved(alone, made.id).status == "open"
    assert alone.events("payment_intent.payment_failed")
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    assert confirm(alone, made.id) == {"status": "complete"}
    assert len(alone.events("payment_intent.created")) == 1
    assert len(client.v1.customers.list().data) == 1


@pytest.mark.parametrize("answer", ["complete", "fail"])
def test_a_challenge_is_waited_for(alone: FakeStripe, answer: str) -> None:
    made = session(alone.client())
    asked = confirm(alone, made.id, ALWAYS_3DS)
    assert asked["status"] == "requires_action"
    secret = asked["client_secret"]
    assert not alone.events("checkout.session.completed")
    url = f"{alone.url}/_3ds/{secret.partition('_secret_')[0]}/{answer}"
    alone.session.post(url, data={"client_secret": secret}, timeout=10).raise_for_status()
    if answer == "complete":
        assert on_page(alone, checkout.resume, made.id) == {"status": "complete"}
        assert retrieved(alone, made.id, "subscription").subscription.status == "active"
    else:
        with pytest.raises(ApiError, match="unable to authenticate"):
            on_page(alone, checkout.resume, made.id)
        assert retrieved(alone, made.id).status == "open"
        assert confirm(alone, made.id) == {"status": "complete"}


def test_a_trial_takes_the_card_and_no_money(alone: FakeStripe) -> None:
    made = session(alone.client(), subscription_data={"trial_period_days": 14})
    assert made.amount_total == 0
    start = len(alone.events())
    confirm(alone, made.id)
    assert types_since(alone, start) == [
        "customer.created",
        "payment_method.attached",
        "setup_intent.created",
        "setup_intent.succeeded",
        "checkout.session.completed",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    done = retrieved(alone, made.id, "subscription", "invoice")
    assert done.payment_status == "no_payment_required"
    assert (done.subscription.status, done.invoice.amount_paid) == ("trialing", 0)
    alone.advance(15 * DAY)
    paid = alone.events("invoice.paid")[-1]["data"]["object"]
    assert paid["amount_paid"] == 1000


def test_a_trial_without_a_card_may_be_enough(alone: FakeStripe) -> None:
    data = {
        "trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }
    client = alone.client()
    made = session(client, subscription_data=data, payment_method_collection="if_required")
    assert on_page(alone, checkout.confirm, made.id, {"email": "jo@example.com"}) == {
        "status": "complete"
    }
    done = retrieved(alone, made.id, "subscription")
    assert done.subscription.default_payment_method is None
    alone.advance(8 * DAY)
    assert client.v1.subscriptions.retrieve(done.subscription.id).status == "canceled"


def test_a_one_time_purchase_with_a_changed_quantity(alone: FakeStripe) -> None:
    client = alone.client()
    once = price(client, 4900, None)
    line = {
        "price": once.id, "quantity": 1,
        "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 5},
    }  # fmt: skip
    made = session(
        client, mode="payment", line_items=[line], customer=payer(client),
        payment_intent_data={"metadata": {"order": "1"}},
    )  # fmt: skip
    li = retrieved(alone, made.id, "line_items").line_items.data[0].id
    with pytest.raises(ApiError, match="from 1 to 5"):
        on_page(alone, checkout.set_quantity, made.id, li, 6)
    on_page(alone, checkout.set_quantity, made.id, li, 3)
    confirm(alone, made.id)
    done = retrieved(alone, made.id, "payment_intent")
    assert (done.amount_total, done.payment_status, done.subscription) == (14700, "paid", None)
    intent = done.payment_intent
    assert (intent.amount_received, intent.metadata.to_dict()) == (14700, {"order": "1"})
    assert intent.customer == done.customer


def test_a_guests_one_time_purchase_makes_no_customer_unless_asked(alone: FakeStripe) -> None:
    client = alone.client()
    once = price(client, 4900, None)
    guest = session(client, once.id, mode="payment")
    confirm(alone, guest.id)
    assert retrieved(alone, guest.id).customer is None
    assert retrieved(alone, guest.id).customer_details.email == "jo@example.com"
    kept = session(client, once.id, mode="payment", customer_creation="always")
    confirm(alone, kept.id)
    assert client.v1.customers.retrieve(retrieved(alone, kept.id).customer).email is not None


@pytest.mark.parametrize(
    ("number", "status", "event"),
    [(PROCESSING, "paid", "checkout.session.async_payment_succeeded"),
     ("4000009999000022", "unpaid", "checkout.session.async_payment_failed")],
)  # fmt: skip
def test_a_late_payment_completes_unpaid_and_tells_its_end(
    alone: FakeStripe, number: str, status: str, event: str
) -> None:
    client = alone.client()
    made = session(client, price(client, 4900, None).id, mode="payment")
    confirm(alone, made.id, number)
    assert retrieved(alone, made.id).payment_status == "unpaid"
    assert retrieved(alone, made.id).status == "complete"
    alone.advance(200)
    assert retrieved(alone, made.id).payment_status == status
    assert len(alone.events(event)) == 1


def test_a_late_payment_activates_its_subscription(alone: FakeStripe) -> None:
    made = session(alone.client())
    confirm(alone, made.id, PROCESSING)
    waiting = retrieved(alone, made.id, "subscription", "invoice")
    assert (waiting.subscription.status, waiting.invoice.status) == ("incomplete", "open")
    alone.advance(200)
    done = retrieved(alone, made.id, "subscription", "invoice")
    assert (done.subscription.status, done.invoice.status) == ("active", "paid")
    assert done.payment_status == "paid"


def test_a_promotion_code_lowers_the_price_and_lasts_as_its_coupon(alone: FakeStripe) -> None:
    client = alone.client()
    code = promotion(client, "SPRING20", percent_off=20, duration="repeating",
                     duration_in_months=2)  # fmt: skip
    made = session(client, allow_promotion_codes=True)
    with pytest.raises(ApiError, match="invalid"):
        on_page(alone, checkout.apply_promotion_code, made.id, "NONSENSE")
    on_page(alone, checkout.apply_promotion_code, made.id, " spring20 ")
    with page(alone) as work:
        shown = checkout.summary(work, found(work, made.id))
    assert shown["discount"] == {"label": "20% off for 2 months", "code": "SPRING20",
                                 "amount": 200}  # fmt: skip
    assert (shown["subtotal"], shown["total"], shown["recurring"]["amount"]) == (1000, 800, 1000)
    assert retrieved(alone, made.id).discounts[0].promotion_code == code
    on_page(alone, checkout.remove_promotion_code, made.id)
    assert retrieved(alone, made.id).amount_total == 1000
    on_page(alone, checkout.apply_promotion_code, made.id, "SPRING20")
    confirm(alone, made.id)
    done = retrieved(alone, made.id, "subscription.discounts")
    assert done.total_details.amount_discount == 200
    assert done.subscription.discounts[0].promotion_code == code
    assert client.v1.promotion_codes.retrieve(code).times_redeemed == 1
    alone.advance(65 * DAY)
    paid = [e["data"]["object"]["amount_paid"] for e in alone.events("invoice.paid")]
    assert paid == [800, 800, 1000]


def test_a_full_discount_needs_no_payment(alone: FakeStripe) -> None:
    client = alone.client()
    free = client.v1.coupons.create({"percent_off": 100, "duration": "once"})
    once = price(client, 4900, None)
    made = session(client, once.id, mode="payment", discounts=[{"coupon": free.id}])
    with page(alone) as work:
        assert checkout.summary(work, found(work, made.id))["needs_card"] is False
    on_page(alone, checkout.confirm, made.id, {"email": "jo@example.com"})
    done = retrieved(alone, made.id)
    assert (done.amount_total, done.payment_status) == (0, "no_payment_required")
    assert done.payment_intent is None


@pytest.mark.parametrize(
    ("coupon", "said"),
    [
        ({"percent_off": 5, "restrictions": {"minimum_amount": 5000,
                                             "minimum_amount_currency": "usd"}}, "too small"),
        ({"amount_off": 100, "currency": "eur"}, "another currency"),
        ({"percent_off": 5, "restrictions": {"first_time_transaction": True}}, "first-time"),
    ],
)  # fmt: skip
def test_a_code_that_does_not_apply_is_refused_with_a_reason(
    alone: FakeStripe, coupon: dict[str, Any], said: str
) -> None:
    client = alone.client()
    customer = payer(client)
    client.v1.payment_intents.create(
        {"amount": 100, "currency": "usd", "customer": customer, "confirm": True,
         "off_session": True, "payment_method": "pm_card_visa"}
    )  # fmt: skip
    promotion(client, "CODE", **coupon)
    made = session(client, customer=customer, allow_promotion_codes=True)
    with pytest.raises(ApiError, match=said):
        on_page(alone, checkout.apply_promotion_code, made.id, "CODE")
    assert retrieved(alone, made.id).amount_total == 1000


def test_an_open_session_expires_after_its_time_and_not_before(alone: FakeStripe) -> None:
    client = alone.client()
    now = int(alone.control("clock")["now"])
    soon = session(client, expires_at=now + 3600)
    day = session(client)
    alone.advance(3500)
    assert client.v1.checkout.sessions.retrieve(soon.id).status == "open"
    alone.advance(200)
    ended = client.v1.checkout.sessions.retrieve(soon.id)
    assert (ended.status, ended.url) == ("expired", None)
    assert len(alone.events("checkout.session.expired")) == 1
    with pytest.raises(ApiError, match="expired"):
        confirm(alone, soon.id)
    client.v1.checkout.sessions.expire(day.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        client.v1.checkout.sessions.expire(day.id)


def test_the_same_idempotency_key_makes_one_session(client: stripe.StripeClient) -> None:
    params: Any = {
        "mode": "subscription",
        "success_url": SUCCESS_URL,
        "line_items": [{"price": price(client).id, "quantity": 1}],
    }
    keys: Any = {"idempotency_key": "checkout-7"}
    one = client.v1.checkout.sessions.create(params, keys)
    two = client.v1.checkout.sessions.create(params, keys)
    assert one.id == two.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create({**params, "client_reference_id": "8"}, keys)


def test_setup_mode_saves_the_card(alone: FakeStripe) -> None:
    client = alone.client()
    customer = client.v1.customers.create({"email": "jo@example.com"})
    made = session(client, mode="setup", currency="usd", customer=customer.id)
    confirm(alone, made.id)
    done = retrieved(alone, made.id, "setup_intent")
    assert (done.setup_intent.status, done.payment_status) == ("succeeded", "no_payment_required")
    cards = client.v1.payment_methods.list({"customer": customer.id}).data
    assert [card.id for card in cards] == [done.setup_intent.payment_method]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"ui_mode": "embedded_page"}, "ui_mode"),
        ({"success_url": "not a url"}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"price": "price_missing"}]}, "line_items[0][price]"),
        ({"customer": "cus_missing"}, "customer"),
        ({"mode": "payment"}, "line_items"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "payment_intent_data"),
        ({"expires_at": 1}, "expires_at"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "x"}]}, "discounts"),
        ({"discounts": [{"coupon": "missing"}]}, "discounts[0][coupon]"),
        ({"subscription_data": {"trial_period_days": 0}}, "subscription_data[trial_period_days]"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_session_is_refused(
    client: stripe.StripeClient, params: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        session(client, **params)
    assert caught.value.param == param


def test_prices_can_be_described_on_the_spot(client: stripe.StripeClient) -> None:
    data: Any = {"currency": "usd", "unit_amount": 700, "product": product(client).id}
    made = session(client, mode="payment", line_items=[{"price_data": data, "quantity": 2}])
    assert made.amount_total == 1400
    listed = client.v1.checkout.sessions.line_items.list(made.id).data
    assert listed[0].price is not None and listed[0].price.active is False


def test_a_setup_fee_is_charged_with_the_first_invoice_only(alone: FakeStripe) -> None:
    client = alone.client()
    fee = price(client, 2500, None)
    lines = [{"price": price(client).id, "quantity": 1}, {"price": fee.id, "quantity": 1}]
    made = session(client, line_items=lines)
    assert made.amount_total == 3500
    confirm(alone, made.id)
    alone.advance(32 * DAY)
    paid = [e["data"]["object"] for e in alone.events("invoice.paid")]
    assert [invoice["amount_paid"] for invoice in paid] == [3500, 1000]
    assert paid[0]["lines"]["data"][1]["parent"]["type"] == "invoice_item_details"


def test_a_discount_that_is_used_up_meanwhile_is_refused(alone: FakeStripe) -> None:
    client = alone.client()
    coupon = client.v1.coupons.create({"percent_off": 50, "max_redemptions": 1})
    first, second = (session(client, discounts=[{"coupon": coupon.id}]) for _ in range(2))
    confirm(alone, first.id)
    with pytest.raises(ApiError, match="expired"):
        confirm(alone, second.id)
    assert retrieved(alone, second.id).status == "open"


def test_an_expired_session_gives_its_declined_attempt_up(alone: FakeStripe) -> None:
    made = session(alone.client())
    with pytest.raises(ApiError):
        confirm(alone, made.id, DECLINED)
    alone.client().v1.checkout.sessions.expire(made.id)
    assert len(alone.events("payment_intent.canceled")) == 1
