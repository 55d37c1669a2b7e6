"""Products, prices, coupons and promotion codes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.billing.shop import price, product
from tests.fakestripe.harness import FakeStripe


def test_a_price_is_found_by_its_lookup_key_until_another_takes_it(
    client: stripe.StripeClient,
) -> None:
    first = price(client, lookup_key="pro_monthly")
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key") as caught:
        price(client, 1200, lookup_key="pro_monthly")
    assert caught.value.param == "lookup_key"
    second = price(client, 1200, lookup_key="pro_monthly", transfer_lookup_key=True)
    found = client.v1.prices.list({"lookup_keys": ["pro_monthly", "other"]}).data
    assert [one.id for one in found] == [second.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None


def test_the_amount_of_a_price_cannot_be_changed(client: stripe.StripeClient) -> None:
    made = price(client)
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: unit_amount"):
        client.v1.prices.update(made.id, {"unit_amount": 5})  # type: ignore[typeddict-unknown-key]
    off = client.v1.prices.update(made.id, {"active": False, "nickname": "old"})
    assert (off.active, off.nickname, off.unit_amount) == (False, "old", 1000)


def test_prices_are_listed_by_product_activity_and_interval(client: stripe.StripeClient) -> None:
    sold = product(client).id
    monthly = price(client, product=sold)
    yearly = price(client, 9000, "year", product=sold)
    once = price(client, 4900, None, product=sold)
    client.v1.prices.update(monthly.id, {"active": False})

    def ids(**params: Any) -> set[str]:
        given: Any = {"product": sold, **params}
        return {one.id for one in client.v1.prices.list(given).data}

    assert ids() == {monthly.id, yearly.id, once.id}
    assert ids(active=True) == {yearly.id, once.id}
    assert ids(recurring={"interval": "year"}) == {yearly.id}
    assert ids(type="one_time") == {once.id}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"unit_amount": -1}, "unit_amount"),
        ({"currency": "zzz"}, "currency"),
        ({"recurring": {"interval": "month", "interval_count": 37}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "fortnight"}}, "recurring[interval]"),
        ({"product": "prod_missing"}, "product"),
        ({"tiers_mode": "volume"}, "tiers_mode"),
    ],
)
def test_a_bad_price_is_refused(
    client: stripe.StripeClient, params: dict[str, Any], param: str
) -> None:
    given: Any = {"currency": "usd", "unit_amount": 100, "product": product(client).id, **params}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.prices.create(given)
    assert caught.value.param == param


def test_a_product_can_have_an_id_of_ones_choice_and_a_first_price(
    client: stripe.StripeClient,
) -> None:
    made = client.v1.products.create(
        {
            "id": "starter",
            "name": "Starter",
            "default_price_data": {"currency": "eur", "unit_amount": 500},
            "marketing_features": [{"name": "Mail"}],
        }
    )
    assert made.id == "starter"
    assert client.v1.prices.retrieve(str(made.default_price)).unit_amount == 500
    with pytest.raises(stripe.InvalidRequestError, match="already exists") as caught:
        client.v1.products.create({"id": "starter", "name": "Again"})
    assert caught.value.code == "resource_already_exists"
    with pytest.raises(stripe.InvalidRequestError, match="has one or more"):
        client.v1.products.delete("starter")
    unsold = product(client)
    assert client.v1.products.delete(unsold.id).deleted is True


def test_a_change_of_a_product_is_told_with_what_was_before(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    made = product(client, "Pro")
    client.v1.products.update(made.id, {"name": "Pro plus", "metadata": {"plan": "pro"}})
    event = fakestripe.events("product.updated")[-1]["data"]
    assert event["object"]["name"] == "Pro plus"
    assert event["previous_attributes"]["name"] == "Pro"
    assert event["previous_attributes"]["metadata"] == {"plan": None}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 5, "currency": "usd"}, "percent_off"),
        ({"percent_off": 101}, "percent_off"),
        ({"amount_off": 100}, "currency"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "duration_in_months": 3}, "duration_in_months"),
    ],
)
def test_a_bad_coupon_is_refused(
    client: stripe.StripeClient, params: dict[str, Any], param: str
) -> None:
    given: Any = params
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.coupons.create(given)
    assert caught.value.param == param


def test_a_promotion_code_names_a_coupon_and_is_found_in_any_case(
    client: stripe.StripeClient,
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "id": "spring"})
    made = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "Spring20"}
    )
    assert made.promotion.coupon == "spring"
    found = client.v1.promotion_codes.list({"code": "SPRING20", "active": True}).data
    assert [one.id for one in found] == [made.id]
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        client.v1.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "spring20"}
        )
    client.v1.promotion_codes.update(made.id, {"active": False})
    again = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "spring20"}
    )
    expanded: Any = client.v1.promotion_codes.retrieve(again.id, {"expand": ["promotion.coupon"]})
    assert expanded.promotion.coupon.percent_off == 20


def test_a_coupon_stops_being_valid_when_it_is_used_up(alone: FakeStripe) -> None:
    client = alone.client()
    limit = int(alone.control("clock")["now"]) + 100
    coupon = client.v1.coupons.create({"percent_off": 5, "redeem_by": limit})
    assert coupon.valid
    alone.advance(200)
    assert client.v1.coupons.retrieve(coupon.id).valid is False
