"""The catalogue as code: from an empty account to everything for sale, and every change after."""

from typing import Any

import pytest
import stripe
from flask import Flask

from storefront import prices, provisioning
from storefront.catalog import Catalog, parse
from storefront.db import db
from storefront.provisioning import Applied
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.billing.shop import price, product, subscribed
from tests.fakestripe.harness import FakeStripe
from tests.support.catalogs import TEXT, a_catalog, with_ids

EVERYTHING = {
    ("standard_pack", "one_time"),
    ("premium_plan", "monthly"),
    ("premium_plan", "yearly"),
}
PREMIUM = "storefront_premium_plan"


@pytest.fixture
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


def applies(app: Flask, gateway: StripeGateway, catalog: Catalog) -> Applied:
    with app.app_context():
        return provisioning.apply(gateway, catalog)


def lines(app: Flask, gateway: StripeGateway, catalog: Catalog) -> list[str]:
    """What is to be done."""
    with app.app_context():
        found = provisioning.compare(gateway, catalog)
    return [action.line for action in found if action.verb != "nothing"]


def for_sale(app: Flask, catalog: Catalog) -> dict[tuple[str, str], str]:
    with app.app_context():
        found = prices.current(db.session(), catalog, livemode=False)
        return {pair: row.id for pair, row in found.items()}


def on_sale_at(client: stripe.StripeClient, product_id: str = PREMIUM) -> dict[str | None, Any]:
    found = client.v1.prices.list({"product": product_id, "active": True, "limit": 100})
    assert len({each.lookup_key for each in found.data}) == len(found.data)
    return {each.lookup_key: each for each in found.data}


def test_an_empty_account_gets_everything(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    catalog = a_catalog()
    assert for_sale(app, catalog) == {}
    assert lines(app, gateway, catalog) == [
        "create product standard_pack: Standard Pack",
        "create price standard_pack_one_time: $29.00 once",
        "create product premium_plan: Premium",
        "create price premium_plan_monthly: $49.00 each month",
        "create price premium_plan_yearly: $490.00 each year",
    ]
    applied = applies(app, gateway, catalog)
    assert len(applied.done) == 5
    assert applied.problems == ()
    assert set(for_sale(app, catalog)) == EVERYTHING
    made = client.v1.products.retrieve(PREMIUM)
    assert (made.name, made.description) == ("Premium", "For teams that do not want to count.")
    monthly = on_sale_at(client)["premium_plan_monthly"]
    assert (monthly.unit_amount, monthly.recurring.interval) == (4900, "month")
    assert monthly.metadata.to_dict() == {"plan": "premium_plan", "interval": "monthly"}


def test_again_does_nothing(app: Flask, gateway: StripeGateway, fakestripe: FakeStripe) -> None:
    applies(app, gateway, a_catalog())
    before = len(fakestripe.events())
    assert lines(app, gateway, a_catalog()) == []
    assert applies(app, gateway, a_catalog()) == Applied((), ())
    assert len(fakestripe.events()) == before


def test_a_new_amount_is_a_new_price(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    old = for_sale(app, a_catalog())[("premium_plan", "monthly")]
    running = subscribed(client, price_id=old)
    dearer = a_catalog(("monthly = 4900", "monthly = 5900"))
    assert set(for_sale(app, dearer)) == EVERYTHING - {("premium_plan", "monthly")}
    assert lines(app, gateway, dearer) == [
        "create price premium_plan_monthly: $59.00 each month, "
        f"instead of $49.00 each month ({old})",
        f"archive price {old}: $49.00 each month, no longer sold",
    ]
    applies(app, gateway, dearer)
    new = for_sale(app, dearer)[("premium_plan", "monthly")]
    assert on_sale_at(client)["premium_plan_monthly"].id == new != old
    assert not client.v1.prices.retrieve(old).active
    assert set(for_sale(app, dearer)) == EVERYTHING
    facts = subscription_price(app, gateway, running.id)
    assert facts == ("premium_plan", "monthly"), "a running subscription keeps the old price"
    assert lines(app, gateway, dearer) == []


def test_there_and_back_again(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    dearer = a_catalog(("monthly = 4900", "monthly = 5900"))
    seen = []
    for catalog in (a_catalog(), dearer, a_catalog(), dearer):
        assert applies(app, gateway, catalog).problems == ()
        assert set(for_sale(app, catalog)) == EVERYTHING
        seen.append(for_sale(app, catalog)[("premium_plan", "monthly")])
        assert len(on_sale_at(client)) == 2
    assert len(set(seen)) == 4, "an answer that Stripe repeats for a key must not be taken for new"


def test_another_interval_under_the_key(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = client.v1.products.create({"name": "By hand"}).id
    wrong = price(client, 4900, "year", product=made, lookup_key="premium_plan_monthly")
    assert applies(app, gateway, a_catalog()).problems == ()
    assert not client.v1.prices.retrieve(wrong.id).active
    assert set(on_sale_at(client, made)) == {"premium_plan_monthly", "premium_plan_yearly"}
    assert set(for_sale(app, a_catalog())) == EVERYTHING


def test_a_product_is_described_as_in_the_catalogue(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    renamed = a_catalog(
        ('name = "Premium"', 'name = "Premium Plus"'),
        ('description = "For teams that do not want to count."\n', ""),
    )
    assert lines(app, gateway, renamed) == [
        "change product premium_plan: name 'Premium Plus' instead of 'Premium', description"
    ]
    applies(app, gateway, renamed)
    made = client.v1.products.retrieve(PREMIUM)
    assert (made.name, made.description) == ("Premium Plus", None)


def test_what_was_archived_by_hand_comes_back(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    yearly = for_sale(app, a_catalog())[("premium_plan", "yearly")]
    client.v1.prices.update(yearly, {"active": False})
    client.v1.products.update(PREMIUM, {"active": False})
    assert lines(app, gateway, a_catalog()) == [
        "change product premium_plan: back on sale",
        "change price premium_plan_yearly: back on sale",
    ]
    applies(app, gateway, a_catalog())
    assert for_sale(app, a_catalog())[("premium_plan", "yearly")] == yearly


def test_a_lookup_key_that_was_taken_away_is_given_back(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    monthly = for_sale(app, a_catalog())[("premium_plan", "monthly")]
    client.v1.prices.update(monthly, {"lookup_key": "another"})
    applies(app, gateway, a_catalog())
    assert on_sale_at(client)["premium_plan_monthly"].id == monthly


def test_an_interval_that_is_no_longer_sold(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    monthly_only = a_catalog(("yearly = 49000\n", ""))
    assert [line.split(":")[0].split()[0] for line in lines(app, gateway, monthly_only)] == [
        "archive"
    ]
    applies(app, gateway, monthly_only)
    assert set(on_sale_at(client)) == {"premium_plan_monthly"}
    assert set(for_sale(app, monthly_only)) == EVERYTHING - {("premium_plan", "yearly")}


def test_the_default_price_of_a_product_is_another_before_it_is_archived(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    old = price(client, 3900, product=made, lookup_key="premium_plan_monthly")
    client.v1.products.update(made, {"default_price": old.id})
    assert applies(app, gateway, a_catalog()).problems == ()
    assert not client.v1.prices.retrieve(old.id).active
    assert client.v1.products.retrieve(made).default_price in {
        each.id for each in on_sale_at(client, made).values()
    }


def test_what_stripe_refuses_to_archive_is_told(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    catalog = a_catalog(with_ids("test", product=made))
    applies(app, gateway, catalog)
    monthly = for_sale(app, catalog)["premium_plan", "monthly"]
    client.v1.products.update(made, {"default_price": monthly})
    without = parse(TEXT[: TEXT.index('[[plans]]\ncode = "premium_plan"')])
    client.v1.prices.update(for_sale(app, catalog)["premium_plan", "yearly"], {"active": False})
    [problem] = applies(app, gateway, without).problems
    assert problem == (
        f"archive price {monthly}: $49.00 each month, no longer sold: "
        "This price cannot be archived because it is the default price of its product."
    )


def test_a_plan_that_left_the_catalogue_is_archived_and_can_come_back(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, gateway, a_catalog())
    before = for_sale(app, a_catalog())
    running = subscribed(client, price_id=before["premium_plan", "monthly"])
    without = parse(TEXT[: TEXT.index('[[plans]]\ncode = "premium_plan"')])
    assert [line.partition(":")[0] for line in lines(app, gateway, without)] == [
        f"archive price {before['premium_plan', 'yearly']}",
        f"archive price {before['premium_plan', 'monthly']}",
        "archive product premium_plan",
    ]
    assert applies(app, gateway, without).problems == ()
    assert not client.v1.products.retrieve(PREMIUM).active
    assert on_sale_at(client) == {}
    assert client.v1.subscriptions.retrieve(running.id).status == "active"
    assert lines(app, gateway, without) == []
    applies(app, gateway, a_catalog())
    assert for_sale(app, a_catalog()) == before


def test_somebody_s_own_product_is_not_archived_with_its_plan(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    own = price(client, 1900, product=made)
    applies(app, gateway, a_catalog(with_ids("test", product=made)))
    applies(app, gateway, parse(TEXT[: TEXT.index('[[plans]]\ncode = "premium_plan"')]))
    assert client.v1.products.retrieve(made).active
    assert [each.id for each in on_sale_at(client, made).values()] == [own.id]


def test_prices_made_by_hand_are_adopted_by_their_keys(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    monthly = price(client, 4900, product=made, lookup_key="premium_plan_monthly")
    applies(app, gateway, a_catalog())
    assert for_sale(app, a_catalog())[("premium_plan", "monthly")] == monthly.id
    assert set(on_sale_at(client, made)) == {"premium_plan_monthly", "premium_plan_yearly"}
    assert client.v1.products.retrieve(made).name == "Premium"


def test_a_product_is_adopted_by_its_id(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    catalog = a_catalog(with_ids("test", product=made))
    applies(app, gateway, catalog)
    assert set(on_sale_at(client, made)) == {"premium_plan_monthly", "premium_plan_yearly"}
    assert set(for_sale(app, catalog)) == EVERYTHING
    assert lines(app, gateway, catalog) == []


def test_prices_with_ids_in_the_catalogue_are_only_looked_at(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    monthly, yearly = price(client, 4900, product=made), price(client, 49000, "year", product=made)
    catalog = a_catalog(with_ids("test", monthly=monthly.id, yearly=yearly.id))
    assert applies(app, gateway, catalog).problems == ()
    assert for_sale(app, catalog)[("premium_plan", "monthly")] == monthly.id
    assert for_sale(app, catalog)[("premium_plan", "yearly")] == yearly.id
    assert client.v1.products.retrieve(made).name == "Made by hand"
    assert client.v1.prices.retrieve(monthly.id).lookup_key is None


def test_one_price_with_an_id_and_one_without_share_a_product(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    monthly = price(client, 4900)
    catalog = a_catalog(with_ids("test", monthly=monthly.id))
    applies(app, gateway, catalog)
    with app.app_context():
        sold = prices.current(db.session(), catalog, livemode=False)
        products = {sold[("premium_plan", each)].product_id for each in ("monthly", "yearly")}
    assert products == {monthly.product}
    assert lines(app, gateway, catalog) == []


def test_ids_of_the_other_mode_do_not_count(app: Flask, gateway: StripeGateway) -> None:
    catalog = a_catalog(with_ids("live", monthly="price_live", product="prod_live"))
    assert applies(app, gateway, catalog).problems == ()
    assert set(for_sale(app, catalog)) == EVERYTHING


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"unit_amount": 5900}, "$59.00 each month at Stripe, $49.00 each month in the catalogue"),
        ({"currency": "eur"}, "€49.00 each month at Stripe"),
        ({"recurring": {"interval": "year"}}, "$49.00 each year at Stripe"),
        ({"recurring": {"interval": "week"}}, "$49.00 otherwise at Stripe"),
        ({"active": False}, "archived"),
    ],
)
def test_an_id_whose_price_is_another(
    app: Flask,
    gateway: StripeGateway,
    client: stripe.StripeClient,
    changes: dict[str, Any],
    says: str,
) -> None:
    given: Any = {
        "unit_amount": 4900,
        "currency": "usd",
        "recurring": {"interval": "month"},
        "product": product(client).id,
    }
    made = client.v1.prices.create(given | changes)
    catalog = a_catalog(with_ids("test", monthly=made.id))
    (problem,) = applies(app, gateway, catalog).problems
    assert problem.startswith(f"problem price premium_plan_monthly ({made.id}): ")
    assert says in problem
    assert set(for_sale(app, catalog)) == EVERYTHING - {("premium_plan", "monthly")}


def test_ids_that_stripe_does_not_know(app: Flask, gateway: StripeGateway) -> None:
    catalog = a_catalog(with_ids("test", monthly="price_unknown", product="prod_unknown"))
    assert applies(app, gateway, catalog).problems == (
        "problem price premium_plan_monthly (price_unknown): "
        "Stripe does not know this id; correct it in the catalogue",
        "problem product premium_plan: Stripe does not know prod_unknown; correct the catalogue",
    )
    assert set(for_sale(app, catalog)) == {("standard_pack", "one_time")}


def test_two_plans_cannot_share_a_product(
    app: Flask, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    made = product(client, "Made by hand").id
    price(client, 2900, None, product=made, lookup_key="standard_pack_one_time")
    price(client, 4900, product=made, lookup_key="premium_plan_monthly")
    (problem,) = applies(app, gateway, a_catalog()).problems
    assert problem == (
        f"problem product premium_plan: {made} is standard_pack's; name another product"
    )
    assert client.v1.products.retrieve(made).name == "Standard Pack"


def subscription_price(
    app: Flask, gateway: StripeGateway, subscription_id: str
) -> tuple[str, str] | None:
    with app.app_context():
        facts = gateway.retrieve_subscription(subscription_id)
        return prices.identify(db.session(), a_catalog(), False, facts.price)
