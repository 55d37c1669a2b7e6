"""Shops that miss events, each for another reason, and have everything afterwards."""

import random
from pathlib import Path

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.caught_up import KEY, balances, catches_up, counts, sells, wanted
from tests.support.served import ServedShop, eventually, served_shop

DAY = 24 * 3600


def test_a_shop_that_heard_of_nothing_catches_up_and_then_has_everything(deaf: ServedShop) -> None:
    buyers = sells(deaf)
    assert balances(deaf, buyers) == [0, 0, 0]
    total = len(wanted(deaf.stripe))
    first = catches_up(deaf.app)
    assert (counts(first), first["complete"]) == ((total, 0, total, 0), True)
    assert balances(deaf, buyers) == [1000, 1000, 1000]
    assert set(books.read(deaf.app).events) == {event["id"] for event in wanted(deaf.stripe)}
    assert counts(catches_up(deaf.app)) == (total, total, 0, 0)
    assert balances(deaf, buyers) == [1000, 1000, 1000]
    books.assert_clean(deaf.app)


def test_deliveries_that_were_dropped_are_made_up_for_and_may_still_come(shop: ServedShop) -> None:
    (early,) = sells(shop, 1)
    shop.stripe.drain()
    shop.stripe.control("webhook_faults", {"kind": "dropped"})
    late = sells(shop, 2)
    shop.stripe.control("webhook_faults", method="DELETE")
    run = catches_up(shop.app)
    had = len([it for it in wanted(shop.stripe) if _is_about(it, shop, early.id)])
    assert (run["known"], run["missing"]) == (had, len(wanted(shop.stripe)) - had)
    assert balances(shop, [early, *late]) == [1000] * 3
    for event in shop.stripe.events():
        shop.stripe.control(f"events/{event['id']}/redeliver", {"times": 2})
    shop.stripe.drain()
    assert balances(shop, [early, *late]) == [1000] * 3
    books.assert_clean(shop.app)


def test_a_shop_that_was_down_for_a_day_heals_itself_when_its_worker_starts(
    tmp_path: Path, database_url: str, fakestripe: FakeStripe
) -> None:
    with served_shop(tmp_path, database_url, fakestripe) as before:
        (buyer,) = sells(before, 1)
        eventually(lambda: before.balance(buyer) == 1000, "the shop is well")
        fakestripe.drain()
        fakestripe.advance(DAY)
    with served_shop(tmp_path, database_url, fakestripe) as down:
        fakestripe.client().v1.webhook_endpoints.update(_endpoints(fakestripe)[0], {"url": GONE})
        others = sells(down, 2)
    fakestripe.advance(DAY)
    with served_shop(tmp_path, database_url, fakestripe) as again:
        result = again.app.test_cli_runner().invoke(args=["worker", "--once"])
        assert result.exit_code == 0, result.output
        assert balances(again, [buyer, *others]) == [1000] * 3
        assert {it["id"] for it in wanted(fakestripe)} <= set(books.read(again.app).events)
        books.assert_clean(again.app)


GONE = "http://127.0.0.1:9/stripe/webhook"


def test_a_shop_whose_endpoint_was_disabled_catches_up(shop: ServedShop) -> None:
    client = shop.stripe.client()
    (endpoint,) = _endpoints(shop.stripe)
    client.v1.webhook_endpoints.update(endpoint, {"disabled": True})
    buyers = sells(shop)
    shop.stripe.drain()
    assert balances(shop, buyers) == [0, 0, 0]
    catches_up(shop.app)
    assert balances(shop, buyers) == [1000, 1000, 1000]
    client.v1.webhook_endpoints.update(endpoint, {"disabled": False})
    shop.buys(buyers[0], "usd_10", KEY + "-again")
    eventually(lambda: shop.balance(buyers[0]) == 2000, "deliveries work again")
    books.assert_clean(shop.app)


@pytest.mark.parametrize("seed", [1, 2])
def test_replaying_everything_in_any_order_changes_nothing(deaf: ServedShop, seed: int) -> None:
    sells(deaf)
    declined = deaf.a_buyer()
    deaf.buys(declined, "usd_5", KEY, card="pm_card_visa_chargeDeclined")
    catches_up(deaf.app)
    before = books.read(deaf.app)
    ids = list(before.events) * 2
    random.Random(seed).shuffle(ids)
    result = deaf.app.test_cli_runner().invoke(args=["webhooks", "replay", *ids])
    assert result.exit_code == 0, result.output
    assert books.read(deaf.app) == before


def _endpoints(stripe: FakeStripe) -> list[str]:
    return [endpoint.id for endpoint in stripe.client().v1.webhook_endpoints.list().data]


def _is_about(event: dict[str, object], shop: ServedShop, user_id: str) -> bool:
    """Whether an event is about this customer or an object of theirs."""
    body = event["data"]["object"]  # type: ignore[index]
    customer = books.read(shop.app).users[user_id]["stripe_customer_id"]
    return customer in (body["id"], body.get("customer"))
