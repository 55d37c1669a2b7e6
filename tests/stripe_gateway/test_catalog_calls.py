"""Products and prices, made and changed at a real fakestripe."""

from typing import Any

import pytest
import stripe

from storefront.errors import NotFound, StripeRefused
from storefront.stripe_gateway import NewPrice, StripeGateway, reason
from tests.fakestripe.billing.shop import price, product
from tests.fakestripe.harness import FakeStripe

PRODUCT: Any = {
    "name": "Premium",
    "description": "For teams.",
    "plan": "premium_plan",
    "idempotency_key": "product",
}


@pytest.fixture
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


def a_price(product_id: str, amount: int = 4900, **changes: Any) -> NewPrice:
    given: dict[str, Any] = {
        "product_id": product_id,
        "unit_amount": amount,
        "currency": "usd",
        "interval": "monthly",
        "lookup_key": "premium_plan_monthly",
        "metadata": (("plan", "premium_plan"), ("interval", "monthly")),
    }
    return NewPrice(**(given | changes))


def test_a_product(gateway: StripeGateway) -> None:
    gateway.create_product("storefront_premium_plan", **PRODUCT)
    made = gateway.retrieve_product("storefront_premium_plan")
    assert (made.name, made.description) == ("Premium", "For teams.")
    assert (made.plan, made.active) == ("premium_plan", True)
    gateway.change_product(made.id, name="Premium+", description="", plan="premium_plan")
    changed = gateway.retrieve_product(made.id)
    assert (changed.name, changed.description) == ("Premium+", None)


def test_a_product_that_is_there_stays_as_it_is(gateway: StripeGateway) -> None:
    gateway.create_product("storefront_premium_plan", **PRODUCT)
    other = PRODUCT | {"name": "Another", "idempotency_key": "another"}
    gateway.create_product("storefront_premium_plan", **other)
    assert gateway.retrieve_product("storefront_premium_plan").name == "Premium"


def test_products_that_are_not_there(gateway: StripeGateway, client: stripe.StripeClient) -> None:
    with pytest.raises(NotFound):
        gateway.retrieve_product("prod_unknown")
    deleted = product(client).id
    client.v1.products.delete(deleted)
    with pytest.raises(NotFound):
        gateway.retrieve_product(deleted)
    with pytest.raises(NotFound):
        gateway.create_price(a_price("prod_unknown"), idempotency_key="k")


def test_an_archived_product_comes_back(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client).id
    client.v1.products.update(made, {"active": False})
    assert not gateway.retrieve_product(made).active
    gateway.change_product(made, name="Pro", description="", plan="pro")
    assert gateway.retrieve_product(made).active


@pytest.mark.parametrize("interval", ["monthly", "yearly", "one_time"])
def test_a_price(gateway: StripeGateway, client: stripe.StripeClient, interval: Any) -> None:
    made = gateway.create_price(a_price(product(client).id, interval=interval), idempotency_key="k")
    assert made == gateway.retrieve_price(made.id)
    assert (made.unit_amount, made.currency, made.interval) == (4900, "usd", interval)
    assert (made.lookup_key, made.active) == ("premium_plan_monthly", True)
    assert (made.plan, made.plan_interval) == ("premium_plan", "monthly")


def test_the_same_key_makes_the_same_price(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    new = a_price(product(client).id)
    made = gateway.create_price(new, idempotency_key="k")
    assert gateway.create_price(new, idempotency_key="k") == made
    assert [each.id for each in gateway.active_prices(new.product_id)] == [made.id]


def test_a_new_price_takes_the_lookup_key(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    item = product(client).id
    old = gateway.create_price(a_price(item, 4900), idempotency_key="1")
    new = gateway.create_price(a_price(item, 5900), idempotency_key="2")
    [found] = gateway.prices_by_lookup_key(["premium_plan_monthly"])
    assert found.id == new.id
    assert gateway.retrieve_price(old.id).lookup_key is None
    gateway.change_price(old.id, active=False)
    assert [each.id for each in gateway.active_prices(item)] == [new.id]
    back = (("plan", "premium_plan"),)
    gateway.change_price(old.id, active=True, lookup_key="premium_plan_monthly", metadata=back)
    assert [each.id for each in gateway.prices_by_lookup_key(["premium_plan_monthly"])] == [old.id]


def test_more_lookup_keys_than_stripe_takes_at_once(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    item, keys = product(client).id, [f"plan_{number}_monthly" for number in range(23)]
    for key in keys:
        price(client, product=item, lookup_key=key)
    found = gateway.prices_by_lookup_key([*keys, "unknown"])
    assert sorted(each.lookup_key or "" for each in found) == sorted(keys)
    assert gateway.prices_by_lookup_key([]) == []


def test_prices_that_the_shop_does_not_sell(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    weekly = price(client, interval="week")
    quarterly = price(client, recurring={"interval_count": 3})
    assert gateway.retrieve_price(weekly.id).interval is None
    assert gateway.retrieve_price(quarterly.id).interval is None


def test_a_price_knows_that_its_product_is_archived(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = price(client, lookup_key="k")
    client.v1.products.update(str(made.product), {"active": False})
    assert not gateway.retrieve_price(made.id).product_active
    [listed] = gateway.prices_by_lookup_key(["k"])
    assert not listed.product_active


def test_operators_read_what_stripe_said(
    gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    with pytest.raises(StripeRefused) as refused:
        gateway.create_price(a_price(product(client).id, -1), idempotency_key="k")
    assert "greater than or equal to 0" in reason(refused.value)
    assert "greater than" not in refused.value.detail
