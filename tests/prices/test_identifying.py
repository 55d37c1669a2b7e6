"""Which plan a price of Stripe's belongs to, and what we remember of our own objects there."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from storefront import prices
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.db import db, transaction
from storefront.prices import StripePrice
from storefront.stripe_gateway import PriceFacts
from tests.support.apps import some_settings
from tests.support.catalogs import a_catalog, with_ids

FACTS = PriceFacts(
    id="price_1",
    product_id="prod_1",
    unit_amount=4900,
    currency="usd",
    interval="monthly",
    lookup_key=None,
    active=True,
    plan=None,
    plan_interval=None,
)
MONTHLY, YEARLY = ("premium_plan", "monthly"), ("premium_plan", "yearly")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Config:
    """No Stripe is asked here."""
    return some_settings(tmp_path, database_url)


def identified(app: Flask, facts: PriceFacts, catalog: Catalog | None = None) -> object:
    with app.app_context():
        return prices.identify(db.session(), catalog or a_catalog(), False, facts)


def test_a_strangers_price_is_none_of_ours(app: Flask) -> None:
    assert identified(app, FACTS) is None
    assert identified(app, replace(FACTS, lookup_key="gold_monthly")) is None
    assert identified(app, replace(FACTS, plan="gold", plan_interval="monthly")) is None


def test_the_catalogues_ids_come_first(app: Flask) -> None:
    catalog = a_catalog(with_ids("test", yearly="price_1"))
    facts = replace(FACTS, lookup_key="premium_plan_monthly")
    assert identified(app, facts, catalog) == YEARLY
    assert identified(app, facts, a_catalog(with_ids("live", yearly="price_1"))) == MONTHLY


def test_a_price_that_was_sold_once(app: Flask) -> None:
    row = StripePrice(
        id="price_1", product_id="prod_1", plan="gold", interval="monthly", amount=1,
        currency="usd", current=False,
    )  # fmt: skip
    with app.app_context(), transaction() as session:
        session.add(row)
    assert identified(app, FACTS) == ("gold", "monthly"), "it may have left the catalogue"


def test_a_lookup_key_counts_with_its_interval(app: Flask) -> None:
    assert identified(app, replace(FACTS, lookup_key="premium_plan_monthly")) == MONTHLY
    assert identified(app, replace(FACTS, lookup_key="premium_plan_yearly")) is None


def test_metadata_counts_with_its_interval(app: Flask) -> None:
    ours = replace(FACTS, plan="premium_plan", plan_interval="monthly")
    assert identified(app, ours) == MONTHLY
    assert identified(app, replace(ours, plan_interval="yearly")) is None
    assert identified(app, replace(ours, interval=None, plan_interval=None)) is None


def test_an_object_is_remembered_under_its_name(app: Flask) -> None:
    with app.app_context():
        assert prices.remembered(db.session(), "portal") is None
        prices.remember("portal", "bpc_1")
        prices.remember("other", "bpc_2")
        assert prices.remembered(db.session(), "portal") == "bpc_1"
        prices.remember("portal", "bpc_3")
        assert prices.remembered(db.session(), "portal") == "bpc_3"
        assert prices.remembered(db.session(), "other") == "bpc_2"
