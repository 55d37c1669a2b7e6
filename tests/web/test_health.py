"""What machines are told of the shop's state."""

from flask import Flask
from flask.testing import FlaskClient

from storefront.db import transaction
from storefront.prices import StripePrice


def test_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_ready_although_nothing_can_be_bought_yet(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    document = answer.get_json()
    assert (document["status"], document["database"]) == ("ok", "ok")
    assert len(document["catalog"]) == 3
    for sentence in document["catalog"]:
        assert sentence.endswith("Run: flask catalog apply")


def test_what_can_be_bought_is_not_named(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        session.add(a_price("monthly", 4900))
        session.add(a_price("yearly", 50000))
    first, second = client.get("/readyz").get_json()["catalog"]
    assert first.startswith("standard_pack, one_time: ")
    assert second.startswith("premium_plan, yearly: $500.00 at Stripe, $490.00 in the catalogue")


def a_price(interval: str, amount: int) -> StripePrice:
    return StripePrice(
        id=f"price_{interval}",
        product_id="prod_1",
        plan="premium_plan",
        interval=interval,
        amount=amount,
        currency="usd",
        current=True,
    )
