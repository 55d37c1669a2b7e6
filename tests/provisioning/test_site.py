"""Besides what is for sale: the webhook endpoint and the portal's configuration."""

from dataclasses import replace
from typing import Any

import pytest
import stripe
from flask import Flask

from storefront import handlers, portal, prices, provisioning
from storefront.catalog import Catalog
from storefront.config import STRIPE_API_BASE, Config
from storefront.db import db, transaction
from storefront.provisioning import Applied, Site
from storefront.stripe_gateway import API_VERSION, StripeGateway
from tests.fakestripe.harness import FakeStripe
from tests.support.catalogs import a_catalog

URL = "http://localhost:8000/stripe/webhook"


@pytest.fixture
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


def applies(app: Flask, site: Site, catalog: Catalog | None = None) -> Applied:
    with app.app_context():
        gateway = app.extensions["stripe_gateway"]
        return provisioning.apply(gateway, catalog or a_catalog(), site=site)


def planned(app: Flask, site: Site, catalog: Catalog | None = None) -> list[str]:
    """What is to be done, and what is to be known."""
    with app.app_context():
        gateway = app.extensions["stripe_gateway"]
        found = provisioning.compare(gateway, catalog or a_catalog(), site)
    return [action.line for action in found if action.verb != "nothing"]


def a_site(config: Config, *secrets: str, **changes: Any) -> Site:
    """With these secrets configured."""
    config = replace(config, stripe_webhook_secrets=secrets, **changes)
    return Site(config, tuple(handlers.HANDLERS))


def endpoints(client: stripe.StripeClient) -> list[Any]:
    return list(client.v1.webhook_endpoints.list().data)


def configurations(client: stripe.StripeClient) -> dict[str, Any]:
    listed = client.v1.billing_portal.configurations.list({"active": True})
    return {each.id: each.to_dict() for each in listed.data}


def test_an_endpoint_for_what_has_a_handler(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    site = a_site(settings)
    applies(app, site)
    [made] = endpoints(client)
    assert (made.url, made.api_version, made.status) == (URL, API_VERSION, "enabled")
    assert set(made.enabled_events) == set(handlers.HANDLERS)
    assert planned(app, a_site(settings, *site.told)) == []


def test_one_that_is_there_is_changed(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    params: Any = {"url": URL, "enabled_events": ["charge.failed"], "api_version": API_VERSION}
    mine = client.v1.webhook_endpoints.create(params)
    client.v1.webhook_endpoints.update(mine.id, {"disabled": True})
    site = a_site(settings, "whsec_mine")
    count = len(handlers.HANDLERS)
    assert planned(app, site)[-1] == (
        f"change webhook endpoint {URL}: switched on again, {count} more types of events, "
        "1 types of events less"
    )
    applies(app, site)
    [changed] = endpoints(client)
    assert (changed.id, changed.status) == (mine.id, "enabled")
    assert set(changed.enabled_events) == set(handlers.HANDLERS)
    assert site.told == []
    assert planned(app, site) == []


def test_another_address_moves_ours_and_nobody_else_s(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    site = a_site(settings)
    applies(app, site)
    [made] = endpoints(client)
    params: Any = {"url": "https://other.example/hook", "enabled_events": ["*"]}
    other = client.v1.webhook_endpoints.create(params)
    moved = a_site(settings, *site.told, app_url="https://shop.example.com")
    assert applies(app, moved).problems == ()
    found = {each.id: each.url for each in endpoints(client)}
    assert found == {made.id: "https://shop.example.com/stripe/webhook", other.id: other.url}


def test_another_api_version_needs_another_endpoint(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    params: Any = {"url": URL, "enabled_events": ["*"], "api_version": "2025-09-30.clover"}
    old = client.v1.webhook_endpoints.create(params)
    site = a_site(settings, "whsec_of_the_old_one")
    assert [line.split(":")[0] for line in planned(app, site)[-2:]] == [
        "create webhook endpoint http", "archive webhook endpoint http",
    ]  # fmt: skip
    applies(app, site)
    [made] = endpoints(client)
    assert (made.id != old.id, made.api_version) == (True, API_VERSION)
    assert planned(app, a_site(settings, *site.told)) == []


def test_one_that_was_deleted_is_made_anew(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    """Stripe repeats its answer for a day, as if it were still there."""
    first = a_site(settings)
    applies(app, first)
    client.v1.webhook_endpoints.delete(endpoints(client)[0].id)
    second = a_site(settings, *first.told)
    applies(app, second)
    assert len(endpoints(client)) == 1
    assert second.told not in ([], first.told)
    assert planned(app, a_site(settings, *second.told)) == []


def test_a_secret_that_is_not_configured_is_noted(app: Flask, settings: Config) -> None:
    applies(app, a_site(settings))
    assert planned(app, a_site(settings)) == [
        f"note webhook endpoint {URL}: STRIPE_WEBHOOK_SECRET is not set; put the one that was told "
        "when it was made into .env, or have another: flask catalog apply --new-secret"
    ]
    [note] = planned(app, a_site(settings, "whsec_another"))
    assert "STRIPE_WEBHOOK_SECRET is not its secret" in note


def test_stripe_cannot_reach_this_machine(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    """Stripe itself, that is; the rest is done all the same."""
    site = a_site(settings, stripe_api_base=STRIPE_API_BASE)
    applied = applies(app, site)
    [note] = applied.notes
    assert "Stripe cannot reach http://localhost:8000" in note
    assert "stripe listen --latest --forward-to localhost:8000/stripe/webhook" in note
    assert (len(applied.done), applied.problems, endpoints(client)) == (6, (), [])
    for url in ("http://192.168.1.5", "http://shop.local", "http://[::1]:8000"):
        assert provisioning.why_out_of_reach(replace(site.config, app_url=url)), url
    public = replace(site.config, app_url="http://shop.example.com")
    assert provisioning.why_out_of_reach(public) is None
    live = replace(public, stripe_secret_key="sk_live_x")
    assert "https://" in str(provisioning.why_out_of_reach(live))


def test_the_portal_is_as_the_shop_would_make_it(
    app: Flask, settings: Config, gateway: StripeGateway, client: stripe.StripeClient
) -> None:
    applies(app, a_site(settings))
    [made] = configurations(client)
    with app.app_context():
        sold = prices.current(db.session(), a_catalog(), False)
        ids = {pair: (price.product_id, price.id) for pair, price in sold.items()}
        content = portal.configuration(settings, portal.changeable(ids))
        assert portal.configuration_id(gateway, content) == made


def test_what_somebody_changed_in_the_portal_is_put_back(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    site = a_site(settings)
    applies(app, site)
    [id] = configurations(client)
    features: Any = {"subscription_cancel": {"enabled": True, "mode": "immediately"}}
    client.v1.billing_portal.configurations.update(id, {"features": features})
    again = a_site(settings, *site.told)
    assert planned(app, again) == [
        f"change portal configuration {id}: what customers may do there, as it was"
    ]
    applies(app, again)
    [found] = configurations(client).values()
    assert found["features"]["subscription_cancel"]["mode"] == "at_period_end"


def test_a_new_price_is_a_new_configuration(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    """The first of an account is its default, which Stripe does not let go of."""
    features: Any = {"invoice_history": {"enabled": True}}
    client.v1.billing_portal.configurations.create({"features": features})
    site = a_site(settings)
    applies(app, site)
    before = set(configurations(client))
    dearer = a_catalog(("monthly = 4900", "monthly = 5900"))
    applies(app, a_site(settings, *site.told), dearer)
    after = set(configurations(client))
    assert (len(before - after), len(after - before)) == (1, 1)
    assert planned(app, a_site(settings, *site.told), dearer) == []


def test_a_shop_with_a_new_database_takes_on_what_is_there(
    app: Flask, settings: Config, client: stripe.StripeClient
) -> None:
    site = a_site(settings)
    applies(app, site)
    with app.app_context(), transaction() as session:
        session.execute(db.delete(prices.StripeObject))
        session.execute(db.delete(prices.StripePrice))
    again = a_site(settings, *site.told)
    assert planned(app, again) == []
    assert applies(app, again).done == ()
    assert (len(endpoints(client)), len(configurations(client))) == (1, 1)
