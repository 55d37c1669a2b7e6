"""What the shop learns of Stripe's prices, and what it then sells. Stripe is a real fakestripe."""

from datetime import timedelta
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import select

from storefront import prices
from storefront.catalog import Catalog
from storefront.db import db, transaction, utcnow
from storefront.errors import StripeUnavailable
from storefront.prices import StripePrice
from storefront.stripe_gateway import StripeGateway
from tests.fakestripe.billing.shop import price, product
from tests.fakestripe.harness import FakeStripe
from tests.support.catalogs import a_catalog, with_ids
from tests.support.races import at_once, raised

MONTHLY, YEARLY = ("premium_plan", "monthly"), ("premium_plan", "yearly")
ONE_TIME = ("standard_pack", "one_time")


class Selling:
    """The prices that a merchant made at Stripe, and the shop's view of them."""

    def __init__(self, app: Flask, gateway: StripeGateway, client: stripe.StripeClient) -> None:
        self.app, self.gateway, self.client = app, gateway, client
        self.product = product(client, "Premium").id
        pack = product(client, "Pack").id
        self.monthly = self.new(4900, "month", "premium_plan_monthly")
        self.yearly = self.new(49000, "year", "premium_plan_yearly")
        self.one_time = self.new(2900, None, "standard_pack_one_time", product=pack)

    def new(self, amount: int, interval: str | None, key: str, **params: Any) -> str:
        given = {"product": self.product, "lookup_key": key, "transfer_lookup_key": True} | params
        return price(self.client, amount, interval, **given).id

    def refresh(self, catalog: Catalog | None = None) -> list[str]:
        with self.app.app_context():
            return prices.refresh(self.gateway, catalog or a_catalog())

    def current(self, catalog: Catalog | None = None) -> dict[tuple[str, str], str]:
        with self.app.app_context():
            found = prices.current(db.session(), catalog or a_catalog(), False)
            return {pair: row.id for pair, row in found.items()}

    def diagnosis(self, catalog: Catalog | None = None) -> list[str]:
        with self.app.app_context():
            return prices.diagnose(db.session(), catalog or a_catalog(), False)


@pytest.fixture
def selling(app: Flask, gateway: StripeGateway, fakestripe: FakeStripe) -> Selling:
    return Selling(app, gateway, fakestripe.client())


def test_prices_are_found_by_their_lookup_keys(selling: Selling) -> None:
    assert selling.current() == {}
    assert selling.refresh() == []
    everything = {MONTHLY: selling.monthly, YEARLY: selling.yearly, ONE_TIME: selling.one_time}
    assert selling.current() == everything
    with selling.app.app_context():
        found = prices.find(db.session(), a_catalog(), False, *MONTHLY)
        assert found is not None
        assert (found.id, found.product_id) == (selling.monthly, selling.product)
        assert prices.find(db.session(), a_catalog(), False, "premium_plan", "weekly") is None


def test_nothing_was_seen_yet(selling: Selling) -> None:
    assert selling.diagnosis() == [
        "standard_pack, one_time: no price with the lookup key standard_pack_one_time was seen "
        "on sale at Stripe. Run: flask catalog apply",
        "premium_plan, monthly: no price with the lookup key premium_plan_monthly was seen "
        "on sale at Stripe. Run: flask catalog apply",
        "premium_plan, yearly: no price with the lookup key premium_plan_yearly was seen "
        "on sale at Stripe. Run: flask catalog apply",
    ]


def test_another_amount_is_not_sold(selling: Selling) -> None:
    selling.new(5900, "month", "premium_plan_monthly")
    (sentence,) = selling.refresh()
    assert sentence == (
        "premium_plan, monthly: $59.00 at Stripe, $49.00 in the catalogue. Run: flask catalog apply"
    )
    assert set(selling.current()) == {YEARLY, ONE_TIME}
    dearer = a_catalog(("monthly = 4900", "monthly = 5900"))
    assert set(selling.current(dearer)) == {MONTHLY, YEARLY, ONE_TIME}


def test_another_currency_is_not_sold(selling: Selling) -> None:
    selling.new(4900, "month", "premium_plan_monthly", currency="eur")
    (sentence,) = selling.refresh()
    assert "€49.00 at Stripe, $49.00 in the catalogue" in sentence


def test_another_interval_is_not_sold(selling: Selling) -> None:
    selling.new(4900, "week", "premium_plan_monthly")
    selling.new(49000, "month", "premium_plan_yearly")
    assert len(selling.refresh()) == 2
    assert set(selling.current()) == {ONE_TIME}


def test_what_is_archived_is_not_sold_until_it_comes_back(selling: Selling) -> None:
    selling.refresh()
    for archive in (selling.client.v1.prices, selling.client.v1.products):
        id = selling.monthly if archive is selling.client.v1.prices else selling.product
        archive.update(id, {"active": False})  # type: ignore[attr-defined]
        assert len(selling.refresh()) in (1, 2)
        assert MONTHLY not in selling.current()
        archive.update(id, {"active": True})  # type: ignore[attr-defined]
        assert selling.refresh() == []
        assert selling.current()[MONTHLY] == selling.monthly


def test_a_price_that_lost_its_key_still_leads_to_its_plan(selling: Selling) -> None:
    selling.refresh()
    newer = selling.new(4900, "month", "premium_plan_monthly")
    selling.refresh()
    assert selling.current()[MONTHLY] == newer
    with selling.app.app_context():
        old = selling.gateway.retrieve_price(selling.monthly)
        assert prices.identify(db.session(), a_catalog(), False, old) == MONTHLY


def test_a_price_that_stripe_refuses_is_sold_no_more_until_it_is_seen_again(
    selling: Selling,
) -> None:
    selling.refresh()
    with selling.app.app_context():
        prices.not_for_sale(selling.monthly)
    assert MONTHLY not in selling.current()
    assert len(selling.diagnosis()) == 1
    selling.refresh()
    assert selling.current()[MONTHLY] == selling.monthly


def test_ids_in_the_catalogue_win_over_lookup_keys(selling: Selling) -> None:
    other = price(selling.client, 4900, product=selling.product).id
    catalog = a_catalog(with_ids("test", monthly=other))
    assert selling.refresh(catalog) == []
    assert selling.current(catalog)[MONTHLY] == other
    assert selling.current(catalog)[YEARLY] == selling.yearly
    with selling.app.app_context():
        live = prices.current(db.session(), catalog, livemode=True)
        assert prices.explicit_id(catalog.plan("premium_plan"), "monthly", True) is None
        assert live[YEARLY].id == selling.yearly


def test_an_id_in_the_catalogue_that_is_wrong(selling: Selling) -> None:
    catalog = a_catalog(with_ids("test", monthly="price_unknown", yearly=selling.monthly))
    assert selling.refresh(catalog) == [
        "premium_plan, monthly: no price price_unknown of this interval was seen on sale at "
        "Stripe. Correct the id in the catalogue, or put the price on sale; then run: "
        "flask catalog apply",
        f"premium_plan, yearly: no price {selling.monthly} of this interval was seen on sale at "
        "Stripe. Correct the id in the catalogue, or put the price on sale; then run: "
        "flask catalog apply",
    ]
    other = price(selling.client, 1, product=selling.product).id
    (sentence,) = selling.refresh(a_catalog(with_ids("test", monthly=other)))
    assert f"{other} is $0.01 at Stripe, $49.00 in the catalogue" in sentence


def test_an_answer_from_before_changes_nothing(selling: Selling) -> None:
    """A slow worker asked before the price was replaced, and writes after everybody else."""
    selling.refresh()
    with selling.app.app_context(), transaction() as session:
        for row in session.scalars(select(StripePrice)):
            row.seen_at = utcnow() + timedelta(minutes=1)  # by somebody who asks after us
    selling.client.v1.prices.update(selling.monthly, {"active": False})
    selling.refresh()
    assert selling.current()[MONTHLY] == selling.monthly


def test_many_at_once(selling: Selling) -> None:
    for _ in range(5):
        newer = selling.new(4900, "month", "premium_plan_monthly")
        tasks = [lambda: prices.refresh(selling.gateway, a_catalog())] * 4
        assert raised(at_once(selling.app, tasks)) == []
        assert selling.current()[MONTHLY] == newer
        assert len(selling.current()) == 3


def test_stripe_down_changes_nothing(selling: Selling, fakestripe: FakeStripe) -> None:
    selling.refresh()
    before = selling.current()
    fakestripe.control("faults", {"kind": "drop"})
    with pytest.raises(StripeUnavailable):
        selling.refresh()
    assert selling.current() == before
