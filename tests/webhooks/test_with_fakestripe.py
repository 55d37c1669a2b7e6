"""The whole way over real HTTP: fakestripe signs and delivers, the shop verifies and credits."""

from tests.support import books
from tests.support.served import ServedShop, eventually

KEY = "story-0123456789"


def test_a_purchase_is_credited_by_the_delivered_webhook(shop: ServedShop) -> None:
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_10", KEY)
    eventually(lambda: shop.balance(buyer) == 1000, "the webhook credits")
    assert shop.status(payment_id) == "succeeded"
    shop.stripe.redelivers("payment_intent.succeeded", times=3)
    shop.stripe.drain()
    assert shop.balance(buyer) == 1000
    states = books.read(shop.app).event_states()
    assert set(states.values()) == {"handled", "ignored"}
    assert len(states) == len(shop.stripe.events()), "every event was delivered and recorded"
    books.assert_clean(shop.app)


def test_a_decline_then_another_card_on_the_same_intent(shop: ServedShop) -> None:
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_5", KEY, card="pm_card_visa_chargeDeclined")
    row = books.read(shop.app).payments
    eventually(
        lambda: books.read(shop.app).payments[payment_id]["failure_code"] == "generic_decline",
        f"the decline arrives: {row}",
    )
    assert shop.buys(buyer, "usd_5", KEY) == payment_id
    eventually(lambda: shop.balance(buyer) == 500, "the second card pays")
    shop.stripe.drain()
    assert shop.status(payment_id) == "succeeded"
    books.assert_clean(shop.app)


def test_deliveries_twice_shuffled_and_dropped_credit_once_each(shop: ServedShop) -> None:
    """All of fakestripe's delivery faults in one sale; what was dropped is redelivered."""
    for fault in ({"kind": "twice"}, {"kind": "shuffled", "hold": 4, "seed": 7}):
        shop.stripe.control("webhook_faults", fault)
    buyers = [shop.a_buyer() for _ in range(3)]
    for buyer in buyers:
        shop.buys(buyer, "usd_20", KEY)
    shop.stripe.control("webhook_faults", method="DELETE")
    for event in shop.stripe.events("payment_intent.succeeded"):
        shop.stripe.control(f"events/{event['id']}/redeliver", {"times": 2})
    shop.stripe.drain()
    eventually(lambda: [shop.balance(it) for it in buyers] == [2000] * 3, "all are credited")
    books.assert_clean(shop.app)


def test_a_webhook_that_was_dropped_is_credited_when_it_comes_after_all(shop: ServedShop) -> None:
    shop.stripe.control("webhook_faults", {"kind": "dropped"})
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_10", KEY)
    shop.stripe.drain()
    assert (shop.balance(buyer), shop.status(payment_id)) == (0, "requires_payment_method")
    shop.stripe.control("webhook_faults", method="DELETE")
    shop.stripe.redelivers("payment_intent.succeeded", times=3)
    eventually(lambda: shop.balance(buyer) == 1000, "the redelivery credits")
    shop.stripe.drain()
    assert shop.balance(buyer) == 1000
    books.assert_clean(shop.app)
