"""Webhooks that are not what they seem, beyond signatures (tests/webhooks/test_refusals.py) and
shapes (tests/webhooks/test_poison.py)."""

import gzip

from flask import Flask
from flask.testing import FlaskClient

from tests.support import books
from tests.support.builders import a_payment, an_event, an_intent, body_of, deliver, paid, signed


def test_what_is_compressed_is_not_unpacked(app: Flask, client: FlaskClient) -> None:
    """A few kilobytes that would become fifty megabytes; nor is a true event read when packed."""
    bomb = gzip.compress(b" " * 50_000_000)
    event = gzip.compress(body_of(paid(a_payment(app))))
    for body in (bomb, event):
        headers = {"Content-Encoding": "gzip", "Stripe-Signature": signed(body)}
        answer = client.post("/stripe/webhook", data=body, headers=headers)
        assert answer.status_code == 400
    assert books.read(app).events == {}


def test_a_connected_account_s_payment_buys_nothing(app: Flask, client: FlaskClient) -> None:
    """Who has an account of their own at Stripe writes what they like into its metadata, but not
    whose customer it is."""
    purchase = a_payment(app, linked=False)
    intent = an_intent(purchase, id="pi_of_mallory", customer="cus_of_mallory")
    event = an_event(intent, account="acct_of_mallory")
    assert deliver(client, event).status_code == 200
    assert books.read(app).event_states() == {event["id"]: "parked"}
    assert books.read(app).transfers == {}


def test_an_old_delivery_signed_anew_credits_nothing_more(app: Flask, client: FlaskClient) -> None:
    """By whom the secret was stolen, events can be told anew; not what was credited already."""
    purchase = a_payment(app)
    event = paid(purchase)
    for told in (event, event, event | {"id": "evt_told_anew"}, paid(purchase)):
        assert deliver(client, told).status_code == 200
    assert books.balance(app, purchase.customer.id) == purchase.credits
