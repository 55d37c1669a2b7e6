"""The Customer Portal: one configuration for each content, and flows for exactly one thing."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from storefront import config as configuration_of_the_shop
from storefront import portal, prices, users
from storefront.catalog import parse
from storefront.config import Config
from storefront.db import db, transaction
from storefront.errors import BadInput, StripeRefused, StripeUnavailable
from storefront.portal import NothingToManage, Portal
from storefront.prices import StripePrice
from tests.support.apps import an_environment
from tests.support.at_checkout import buys
from tests.support.billing_rows import a_subscription, known_prices
from tests.support.builders import Customer, a_user
from tests.support.races import at_once
from tests.support.served import ServedShop

CONFIGURATIONS = "objects?type=billing_portal.configuration&limit=100"


def portal_of(app: Flask) -> Portal:
    names = ("stripe_gateway", "storefront_config", "catalog")
    return Portal(*(app.extensions[name] for name in names))


def visits(shop: ServedShop, customer: Customer, what: str = "home", *args: str) -> Any:
    """Open the portal; the session at Stripe."""
    with shop.app.app_context():
        url: str = getattr(portal_of(shop.app), what)(users.find(customer.id), *args)
    sessions = shop.stripe.control("objects?type=billing_portal.session&limit=100")["data"]
    return next(it for it in sessions if url.endswith(it["id"]))


def configurations(shop: ServedShop) -> list[Any]:
    return list(shop.stripe.control(CONFIGURATIONS)["data"])


def a_subscriber(shop: ServedShop) -> Customer:
    shop.apply_catalog()
    buyer = shop.a_buyer()
    buys(shop.app, buyer, "premium_plan", "monthly")
    shop.work_once()
    return buyer


def test_one_configuration_serves_every_visit(shop: ServedShop) -> None:
    subscriber = a_subscriber(shop)
    first = visits(shop, subscriber)
    assert visits(shop, subscriber, "update_card")["configuration"] == first["configuration"]
    assert visits(shop, subscriber, "cancel")["configuration"] == first["configuration"]
    assert [it["id"] for it in configurations(shop)] == [first["configuration"]]


def test_what_it_allows(shop: ServedShop) -> None:
    visits(shop, a_subscriber(shop))
    [made] = configurations(shop)
    features = made["features"]
    assert features["invoice_history"]["enabled"]
    assert features["payment_method_update"]["enabled"]
    assert features["subscription_cancel"]["mode"] == "at_period_end"
    update = features["subscription_update"]
    assert update["default_allowed_updates"] == ["price"]
    assert update["proration_behavior"] == "always_invoice"
    with shop.app.app_context():
        sold = prices.current(db.session(), shop.app.extensions["catalog"], False)
    recurring = {sold["premium_plan", interval].id for interval in ("monthly", "yearly")}
    [product] = update["products"]
    assert set(product["prices"]) == recurring
    assert made["default_return_url"] == f"{shop.url}/billing"


def test_two_first_visits_at_once_make_one(shop: ServedShop) -> None:
    subscriber = a_subscriber(shop)
    at_once(shop.app, [lambda: visits(shop, subscriber)] * 4)
    assert len(configurations(shop)) == 1


def test_one_that_stripe_no_longer_knows_is_made_anew_once(shop: ServedShop) -> None:
    """The keys of another account were put in, say."""
    subscriber = a_subscriber(shop)
    first = visits(shop, subscriber)["configuration"]
    [name] = [it for it in remembered(shop) if it.startswith("portal_configuration:")]
    with shop.app.app_context():
        prices.remember(name, "bpc_of_other_keys")
    second = visits(shop, subscriber)["configuration"]
    assert visits(shop, subscriber)["configuration"] == second != first
    assert len(configurations(shop)) == 2


def remembered(shop: ServedShop) -> list[str]:
    with shop.app.app_context():
        return list(db.session.scalars(db.select(prices.StripeObject.name)))


def test_another_price_is_another_configuration(shop: ServedShop) -> None:
    subscriber = a_subscriber(shop)
    first = visits(shop, subscriber)["configuration"]
    with shop.app.app_context(), transaction() as session:
        sold = prices.current(session, shop.app.extensions["catalog"], False)
        session.delete(sold["premium_plan", "yearly"])
    assert visits(shop, subscriber)["configuration"] != first


def test_a_change_is_to_be_confirmed_for_exactly_that(shop: ServedShop) -> None:
    subscriber = a_subscriber(shop)
    flow = visits(shop, subscriber, "change", "premium_plan", "yearly")["flow"]
    assert flow["type"] == "subscription_update_confirm"
    [item] = flow["subscription_update_confirm"]["items"]
    with shop.app.app_context():
        sold = prices.current(db.session(), shop.app.extensions["catalog"], False)
        assert item["price"] == sold["premium_plan", "yearly"].id
    assert item["quantity"] == 1
    assert flow["after_completion"]["redirect"]["return_url"] == f"{shop.url}/billing"


def refusal(app: Flask, customer: Customer, what: str, *args: str) -> str:
    with app.app_context(), pytest.raises(BadInput) as refused:
        getattr(portal_of(app), what)(users.find(customer.id), *args)
    return refused.value.detail


def test_what_there_is_nothing_to_do_about(app: Flask) -> None:
    ids = known_prices(app)
    customer = a_user(app)
    assert refusal(app, customer, "cancel") == "There is no subscription to cancel."
    assert "no subscription to change" in refusal(app, customer, "change", "premium_plan", "yearly")
    a_subscription(app, customer)
    assert "already" in refusal(app, customer, "change", "premium_plan", "monthly")
    with app.app_context(), transaction() as session:
        session.delete(session.get_one(StripePrice, ids["premium_plan", "yearly"]))
    said = refusal(app, customer, "change", "premium_plan", "yearly")
    assert said == "Premium is not yet available yearly. Try again later."


def test_who_never_paid_has_nothing_to_manage(app: Flask) -> None:
    customer = a_user(app, stripe_id=None)
    with app.app_context(), pytest.raises(NothingToManage):
        portal_of(app).home(users.find(customer.id))


def test_a_customer_whom_stripe_has_forgotten_has_nothing_to_manage(shop: ServedShop) -> None:
    customer = a_user(shop.app)
    with shop.app.app_context(), pytest.raises(NothingToManage):
        portal_of(shop.app).home(users.find(customer.id))


@pytest.mark.parametrize(
    ("status", "columns"),
    [
        ("unpaid", {}),
        ("paused", {}),
        ("incomplete", {}),
        ("active", {"cancel_at_period_end": True}),
    ],
)
def test_what_must_be_put_right_first_leads_to_the_front_page(
    shop: ServedShop, status: str, columns: dict[str, Any]
) -> None:
    shop.apply_catalog()
    buyer = shop.a_buyer()
    with shop.app.app_context():
        users.ensure_stripe_customer(shop.app.extensions["stripe_gateway"], users.find(buyer.id))
    a_subscription(shop.app, buyer, status, **columns)
    session = visits(shop, buyer, "change", "premium_plan", "monthly")
    assert session["flow"] is None


def test_a_refusal_of_stripe_s_makes_no_other_configuration(shop: ServedShop) -> None:
    """Stripe knows it canceled, our row does not yet."""
    subscriber = a_subscriber(shop)
    client = shop.stripe.client()
    with shop.app.app_context():
        customer = users.find(subscriber.id).stripe_customer_id
    assert customer is not None
    [subscription] = client.v1.subscriptions.list({"customer": customer}).data
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    for _ in range(2):
        with shop.app.app_context(), pytest.raises(StripeRefused):
            portal_of(shop.app).cancel(users.find(subscriber.id))
    assert len(configurations(shop)) == 1


def test_while_stripe_is_down_nothing_is_remembered(app: Flask) -> None:
    customer = a_user(app)
    with app.app_context():
        with pytest.raises(StripeUnavailable):
            portal_of(app).home(users.find(customer.id))
        assert db.session.scalar(db.select(prices.StripeObject.name)) is None


@pytest.fixture
def settings_with_terms(tmp_path: Path) -> Config:
    links = {"TERMS_URL": "https://x.example/t", "PRIVACY_URL": "https://x.example/p"}
    url = f"sqlite:///{tmp_path}/none.sqlite3"
    return configuration_of_the_shop.load(an_environment(url, **links), root=tmp_path)


def test_terms_and_privacy_are_linked_when_there_are_any(settings_with_terms: Config) -> None:
    profile = portal.configuration(settings_with_terms, {})["business_profile"]
    assert profile["terms_of_service_url"] == "https://x.example/t"
    assert profile["privacy_policy_url"] == "https://x.example/p"


def test_without_subscriptions_there_is_nothing_to_change_to(settings_with_terms: Config) -> None:
    content = portal.configuration(settings_with_terms, {})
    assert content["features"]["subscription_update"] == {"enabled": False}


def test_the_name_follows_the_content_whatever_its_order(settings_with_terms: Config) -> None:
    name = portal.configuration_name
    assert name({"a": 1, "b": 2}) == name({"b": 2, "a": 1}) != name({"a": 1, "b": 3})


def test_of_more_products_than_fit_the_needed_one_is_among_them() -> None:
    many = {f"prod_{number:02}": ["price"] for number in range(12)}
    assert next(iter(portal.at_most(10, many, "prod_11"))) == "prod_11"
    assert len(portal.at_most(10, many, "prod_11")) == 10
    assert portal.at_most(12, many, "prod_11") == many


def test_the_catalogue_of_the_shop_fits_into_one_configuration() -> None:
    text = (configuration_of_the_shop.ROOT / "catalog.toml").read_text()
    subscriptions = [it for it in parse(text).plans if it.billing == "subscription"]
    assert 0 < len(subscriptions) <= portal.MAXIMUM_PRODUCTS
