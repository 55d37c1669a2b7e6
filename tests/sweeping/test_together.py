"""Sweeps beside customers, beside each other, and cut short. PostgreSQL shows races that BEGIN
IMMEDIATE hides on SQLite, so that is where the rounds are."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from storefront import catalog, sweeping, work
from storefront.config import ROOT
from storefront.db import db
from storefront.jobs import Job
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.at_checkout import make_prices
from tests.support.crashes import crash_everywhere
from tests.support.promised import do_work, promised, states
from tests.support.races import at_once, raised
from tests.support.served import ServedShop
from tests.support.shopping import opens
from tests.support.swept import at_stripe, grows_old, statuses
from tests.support.thoroughness import usually


def sweeps(shop: ServedShop) -> Counter[str]:
    found = sweeping.sweep(shop.app.extensions["stripe_gateway"], timedelta(hours=24))
    return Counter(swept.ending or f"error {swept.error}" for swept in found)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_customer_pays_in_the_moment_of_the_sweep_and_stripe_decides(deaf: ServedShop) -> None:
    for _ in range(usually(3, thorough=20)):
        buyer = deaf.a_buyer()
        opened = opens(deaf.app, buyer)
        grows_old(deaf.app)
        pay = partial(deaf.pays, opened.intent_id)
        outcomes = at_once(deaf.app, [partial(sweeps, deaf), pay])
        assert raised(outcomes) == []
        grows_old(deaf.app)
        with deaf.app.app_context():
            sweeps(deaf)
        decided = at_stripe(deaf.stripe, opened.intent_id)["status"]
        assert statuses(deaf.app)[opened.payment_id] == decided
        assert deaf.balance(buyer) == {"succeeded": 1000, "canceled": 0}[decided]
    books.assert_clean(deaf.app)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_sweeps_at_once_do_what_one_does(deaf: ServedShop) -> None:
    for _ in range(usually(2, thorough=10)):
        buyers = [deaf.a_buyer() for _ in range(4)]
        paid = [deaf.buys(buyer, "usd_10", "a-key-0123456789") for buyer in buyers[:2]]
        left = [opens(deaf.app, buyer).payment_id for buyer in buyers[2:]]
        grows_old(deaf.app)
        outcomes = at_once(deaf.app, [partial(sweeps, deaf)] * 2)
        assert raised(outcomes) == []
        assert all(it.keys() <= {"settled", "canceled"} for it in outcomes)  # type: ignore[union-attr]
        assert {statuses(deaf.app)[id] for id in paid} == {"succeeded"}
        assert {statuses(deaf.app)[id] for id in left} == {"canceled"}
        assert [deaf.balance(buyer) for buyer in buyers] == [1000, 1000, 0, 0]
    books.assert_clean(deaf.app)


def test_a_sweep_that_dies_anywhere_is_made_up_for(
    database_url: str, fakestripe: FakeStripe
) -> None:
    make_prices(fakestripe, catalog.load(ROOT / "catalog.toml"))
    report = crash_everywhere(
        database_url,
        "tests.sweeping.crash_scenarios:Sweeping",
        stripe_url=fakestripe.url,
        step=12,
    )
    print(f"killed at {len(report.points)} points")
    assert len(report.points) > 50 // report.step
    assert report.violations == []


def test_the_worker_sweeps_in_portions_and_says_what_failed(
    deaf: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each portion promises the next, from where it got to."""
    monkeypatch.setattr(work.stale, "PATIENCE_SECONDS", 0)
    opened = [opens(deaf.app, deaf.a_buyer()) for _ in range(3)]
    deaf.pays(opened[1].intent_id)
    books.execute(
        deaf.app,
        "UPDATE payments SET amount_cents = 7 WHERE id = :id",
        id=opened[1].payment_id,
    )
    grows_old(deaf.app)
    promised(deaf.app, "expire_stale", "run:expire_stale:a")
    do_work(deaf.app)
    assert sorted(statuses(deaf.app).values()) == [
        "canceled",
        "canceled",
        "requires_payment_method",
    ]
    assert set(states(deaf.app).values()) == {"done"}
    with deaf.app.app_context():
        kinds = db.session.scalars(db.select(Job.kind)).all()
        assert kinds.count("expire_stale") == 4, "three portions, and one that finds the end"
        (entry,) = (it for it in work.schedule_state(db.session()) if it.name == "expire_stale")
    assert entry.interval == timedelta(hours=1)
