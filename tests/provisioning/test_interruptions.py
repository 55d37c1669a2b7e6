"""A run that fails halfway, at whichever call, is made good by the next one; runs that meet do not
disturb each other."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from storefront import handlers, provisioning
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.errors import StripeUnavailable
from storefront.provisioning import Action, Site, fingerprint_of
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.harness import FakeStripe
from tests.provisioning.test_provisioning import EVERYTHING, applies, for_sale, lines, on_sale_at
from tests.support.catalogs import a_catalog
from tests.support.races import at_once, raised

DOWN: Any = {"kind": "drop", "path": "/v1/*"}
LOST: Any = {"kind": "drop_after", "path": "/v1/*", "method": "POST"}
BROKEN: Any = {"kind": "status", "status": 500, "path": "/v1/*", "method": "POST", "count": 1}
DEARER = a_catalog(("monthly = 4900", "monthly = 5900"), ('name = "Premium"', 'name = "Premium+"'))


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storefront.provisioning.applying.PAUSE_SECONDS", 0.01)


@pytest.mark.parametrize("fault", [DOWN, LOST], ids=["before", "after"])
def test_stripe_goes_away_after_each_step(
    app: Flask,
    settings: Config,
    gateway: StripeGateway,
    fakestripe: FakeStripe,
    fault: dict[str, Any],
) -> None:
    secrets: list[str] = []
    for catalog in (a_catalog(), DEARER):
        for _ in range(50):
            site = _a_site(settings, secrets)
            if _stops_after_one_step(app, gateway, fakestripe, catalog, fault, site):
                break
        else:
            raise AssertionError("it never came to an end")
        assert set(for_sale(app, catalog)) == EVERYTHING
        assert lines(app, gateway, catalog) == []
    assert len(set(secrets)) == 1
    assert _fingerprints(fakestripe) == [fingerprint_of(secrets[0])]


def test_several_at_once(
    app: Flask, settings: Config, gateway: StripeGateway, fakestripe: FakeStripe
) -> None:
    secrets: list[str] = []
    for catalog in (a_catalog(), DEARER):
        site = _a_site(settings, secrets)
        tasks = [lambda catalog=catalog, site=site: provisioning.apply(gateway, catalog, site=site)]
        tasks *= 3
        assert raised(at_once(app, tasks)) == []
        assert set(for_sale(app, catalog)) == EVERYTHING
        assert lines(app, gateway, catalog) == []
        assert set(on_sale_at(fakestripe.client())) == {
            "premium_plan_monthly", "premium_plan_yearly",
        }  # fmt: skip
    assert len(set(secrets)) == 1
    assert _fingerprints(fakestripe) == [fingerprint_of(secrets[0])]


def test_an_answer_of_500_is_not_taken_for_the_last_word(
    app: Flask, settings: Config, gateway: StripeGateway, fakestripe: FakeStripe
) -> None:
    """Stripe repeats it for the same idempotency key."""
    paths = ("products", "prices", "webhook_endpoints", "billing_portal/configurations")
    for path in paths:
        fakestripe.control("faults", BROKEN | {"path": f"/v1/{path}"})
    with app.app_context():
        applied = provisioning.apply(gateway, a_catalog(), site=_a_site(settings, []))
    assert (len(applied.done), applied.problems) == (7, ())
    assert set(for_sale(app, a_catalog())) == EVERYTHING


def test_stripe_down_is_told(app: Flask, gateway: StripeGateway, fakestripe: FakeStripe) -> None:
    fakestripe.control("faults", DOWN)
    with pytest.raises(StripeUnavailable):
        applies(app, gateway, a_catalog())


def _a_site(settings: Config, secrets: list[str]) -> Site:
    """Of a shop that keeps the secrets that it is told."""
    kept = replace(settings, stripe_webhook_secrets=tuple(secrets))
    return Site(kept, tuple(handlers.HANDLERS), lambda secret, _replaces: secrets.append(secret))


def _fingerprints(fakestripe: FakeStripe) -> list[str | None]:
    """What the endpoints at Stripe say of their secrets."""
    listed = fakestripe.client().v1.webhook_endpoints.list()
    return [each.metadata.to_dict().get("secret_sha256") for each in listed.data]


def _stops_after_one_step(
    app: Flask,
    gateway: StripeGateway,
    fakestripe: FakeStripe,
    catalog: Catalog,
    fault: dict[str, Any],
    site: Site,
) -> bool:
    """One run that loses Stripe when its first step is done; whether there was nothing to do."""
    told: list[Any] = []

    def tell(action: Action) -> None:
        told.append(action)
        fakestripe.control("faults", fault)

    with app.app_context():
        try:
            provisioning.apply(gateway, catalog, tell, site)
        except StripeUnavailable:
            assert told
        fakestripe.control("faults", method="DELETE")
    return not told
