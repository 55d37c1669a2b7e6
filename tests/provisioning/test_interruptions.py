"""A run that fails halfway, at whichever call, is made good by the next one; runs that meet do not
disturb each other."""

from typing import Any

import pytest
from flask import Flask

from storefront import provisioning
from storefront.errors import StripeUnavailable
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
    app: Flask, gateway: StripeGateway, fakestripe: FakeStripe, fault: dict[str, Any]
) -> None:
    for catalog in (a_catalog(), DEARER):
        for _ in range(50):
            if _stops_after_one_step(app, gateway, fakestripe, catalog, fault):
                break
        else:
            raise AssertionError("it never came to an end")
        assert set(for_sale(app, catalog)) == EVERYTHING
        assert lines(app, gateway, catalog) == []


def test_several_at_once(app: Flask, gateway: StripeGateway, fakestripe: FakeStripe) -> None:
    for catalog in (a_catalog(), DEARER):
        tasks = [lambda catalog=catalog: provisioning.apply(gateway, catalog)] * 3
        assert raised(at_once(app, tasks)) == []
        assert set(for_sale(app, catalog)) == EVERYTHING
        assert lines(app, gateway, catalog) == []
        assert set(on_sale_at(fakestripe.client())) == {
            "premium_plan_monthly", "premium_plan_yearly",
        }  # fmt: skip


def test_an_answer_of_500_is_not_taken_for_the_last_word(
    app: Flask, gateway: StripeGateway, fakestripe: FakeStripe
) -> None:
    """Stripe repeats it for the same idempotency key."""
    for path in ("/v1/products", "/v1/prices"):
        fakestripe.control("faults", BROKEN | {"path": path})
    assert applies(app, gateway, a_catalog()).problems == ()
    assert set(for_sale(app, a_catalog())) == EVERYTHING


def test_stripe_down_is_told(app: Flask, gateway: StripeGateway, fakestripe: FakeStripe) -> None:
    fakestripe.control("faults", DOWN)
    with pytest.raises(StripeUnavailable):
        applies(app, gateway, a_catalog())


def _stops_after_one_step(
    app: Flask, gateway: StripeGateway, fakestripe: FakeStripe, catalog: Any, fault: Any
) -> bool:
    """One run that loses Stripe when its first step is done; whether there was nothing to do."""
    told: list[Any] = []

    def tell(action: Any) -> None:
        told.append(action)
        fakestripe.control("faults", fault)

    with app.app_context():
        try:
            provisioning.apply(gateway, catalog, tell)
        except StripeUnavailable:
            assert told
        fakestripe.control("faults", method="DELETE")
    return not told
