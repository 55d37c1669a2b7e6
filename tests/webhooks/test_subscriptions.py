"""Events of subscriptions, invoices and customers: each promises a look at Stripe that begins
after it, and moves nothing by itself."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import books
from tests.support.billing_rows import a_subscription
from tests.support.builders import Customer, Json, a_user, an_event, deliver
from tests.support.checkouts import rows

SUBSCRIPTION_EVENTS = ["created", "updated", "deleted", "paused", "resumed"]
INVOICE_EVENTS = [
    "paid", "payment_succeeded", "payment_failed", "payment_action_required", "voided",
    "marked_uncollectible",
]  # fmt: skip


def subscription(customer: Customer, **changes: Any) -> Json:
    shown = {"id": "sub_1", "object": "subscription", "customer": customer.stripe_id}
    return shown | {"status": "active", "trial_end": None} | changes


def invoice(customer: Customer, **changes: Any) -> Json:
    parent = {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}
    shown = {"id": "in_1", "object": "invoice", "customer": customer.stripe_id, "parent": parent}
    return shown | {"status": "open", "attempt_count": 1} | changes


def told(client: FlaskClient, object: Json, type: str) -> Json:
    event = an_event(object, type)
    assert deliver(client, event).status_code == 200
    return event


def promises(app: Flask) -> dict[str, Json]:
    """Key of each job -> its arguments and kind."""
    return {
        key: json.loads(job["args"]) | {"kind": job["kind"]}
        for key, job in rows(app, "jobs", "key").items()
    }


def state(app: Flask, event: Json) -> str:
    return books.read(app).event_states()[event["id"]]


@pytest.mark.parametrize("type", SUBSCRIPTION_EVENTS)
def test_an_event_of_a_subscription_promises_to_ask_stripe(
    app: Flask, client: FlaskClient, type: str
) -> None:
    customer = a_user(app)
    event = told(client, subscription(customer), f"customer.subscription.{type}")
    deliver(client, event)
    key = f"sync_subscription:sub_1:{event['id']}"
    assert promises(app) == {key: {"kind": "sync_subscription", "subscription": "sub_1"}}
    assert state(app, event) == "handled"


def test_two_events_promise_two_looks(app: Flask, client: FlaskClient) -> None:
    """The first look may have begun before the second thing happened."""
    customer = a_user(app)
    for _ in range(2):
        told(client, subscription(customer), "customer.subscription.updated")
    assert len(promises(app)) == 2


@pytest.mark.parametrize("type", INVOICE_EVENTS)
def test_an_event_of_an_invoice_promises_to_ask_for_all_of_them(
    app: Flask, client: FlaskClient, type: str
) -> None:
    customer = a_user(app)
    event = told(client, invoice(customer), f"invoice.{type}")
    key = f"sync_invoices:{customer.stripe_id}:{event['id']}"
    found = promises(app)
    assert found.pop(key) == {"kind": "sync_invoices", "customer": customer.stripe_id}
    assert bool(found) == (type in ("payment_failed", "payment_action_required"))


def test_a_failed_attempt_is_mailed_once_whichever_event_tells_it(
    app: Flask, client: FlaskClient
) -> None:
    customer = a_user(app)
    told(client, invoice(customer), "invoice.payment_failed")
    told(client, invoice(customer), "invoice.payment_action_required")
    told(client, invoice(customer, attempt_count=2), "invoice.payment_failed")
    mails = {key: it for key, it in promises(app).items() if it["kind"] == "mail_payment_failed"}
    assert mails == {
        f"mail_payment_failed:in_1:{attempt}": {"kind": "mail_payment_failed", "invoice_id": "in_1"}
        for attempt in (1, 2)
    }


def test_an_invoice_of_no_subscription_is_not_mailed_about(app: Flask, client: FlaskClient) -> None:
    customer = a_user(app)
    told(client, invoice(customer, parent=None), "invoice.payment_failed")
    assert [it["kind"] for it in promises(app).values()] == ["sync_invoices"]


def test_a_draft_is_answered_at_once_and_asks_for_nothing(app: Flask, client: FlaskClient) -> None:
    event = told(client, invoice(a_user(app)), "invoice.created")
    assert (state(app, event), promises(app)) == ("ignored", {})


def test_the_end_of_a_trial_is_mailed_once_for_this_end(app: Flask, client: FlaskClient) -> None:
    customer = a_user(app)
    type = "customer.subscription.trial_will_end"
    for end in (1_800_000_000, 1_800_000_000, 1_900_000_000):
        told(client, subscription(customer, trial_end=end), type)
    mails = [key for key, it in promises(app).items() if it["kind"] == "mail_trial_ending"]
    assert sorted(mails) == [
        "mail_trial_ending:sub_1:1800000000",
        "mail_trial_ending:sub_1:1900000000",
    ]


@pytest.mark.parametrize(
    "type",
    [
        *(f"customer.subscription.{each}" for each in (*SUBSCRIPTION_EVENTS, "trial_will_end")),
        *(f"invoice.{each}" for each in INVOICE_EVENTS),
        "customer.updated",
        "customer.deleted",
    ],
)
def test_what_happens_to_nobody_of_ours_is_ignored(
    app: Flask, client: FlaskClient, type: str
) -> None:
    stranger = Customer("usr_x", "x@example.com", "cus_of_another_shop")
    shown = invoice(stranger) if type.startswith("invoice") else subscription(stranger)
    if type in ("customer.updated", "customer.deleted"):
        shown = {"id": stranger.stripe_id, "object": "customer"}
    event = told(client, shown, type)
    assert (state(app, event), promises(app)) == ("ignored", {})


def test_a_changed_customer_has_the_running_subscriptions_looked_at(
    app: Flask, client: FlaskClient
) -> None:
    customer = a_user(app)
    running = a_subscription(app, customer)
    a_subscription(app, customer, "canceled")
    a_subscription(app, a_user(app))
    event = told(client, {"id": customer.stripe_id, "object": "customer"}, "customer.updated")
    assert list(promises(app)) == [f"sync_subscription:{running}:{event['id']}"]


def test_a_deleted_customer_is_forgotten_and_the_subscriptions_are_looked_at(
    app: Flask, client: FlaskClient
) -> None:
    """Whichever event comes first: what is known as ours stays ours."""
    customer = a_user(app)
    running = a_subscription(app, customer)
    gone = {"id": customer.stripe_id, "object": "customer", "deleted": True}
    told(client, gone, "customer.deleted")
    user = books.read(app).users[customer.id]
    assert (user["stripe_customer_id"], user["stripe_customer_attempt"]) == (None, 2)
    assert [it["subscription"] for it in promises(app).values()] == [running]
    event = told(client, subscription(customer, id=running), "customer.subscription.deleted")
    assert state(app, event) == "handled"
    assert len(promises(app)) == 2


@pytest.mark.parametrize(
    ("type", "broken"),
    [
        ("customer.subscription.updated", {"customer": None}),
        ("customer.subscription.updated", {"id": 7}),
        ("customer.subscription.trial_will_end", {"trial_end": "soon"}),
        ("invoice.paid", {"customer": []}),
        ("invoice.payment_failed", {"attempt_count": -1}),
        ("customer.deleted", {"id": ""}),
    ],
)
def test_what_cannot_be_read_is_parked_and_promises_nothing(
    app: Flask, client: FlaskClient, type: str, broken: Json
) -> None:
    customer = a_user(app)
    whole = invoice(customer) if type.startswith("invoice") else subscription(customer)
    event = told(client, whole | broken, type)
    assert (state(app, event), promises(app)) == ("parked", {})
