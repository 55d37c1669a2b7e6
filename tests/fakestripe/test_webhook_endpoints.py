"""Webhook endpoints over the API."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import customer
from tests.fakestripe.harness import FakeStripe, Receiver
from tests.support.served import eventually

DAY = 24 * 3600


def create(client: stripe.StripeClient, **params: Any) -> stripe.WebhookEndpoint:
    given: Any = {"url": "https://shop.example/hook", "enabled_events": ["*"], **params}
    return client.v1.webhook_endpoints.create(given)


def test_the_secret_is_told_once(alone: FakeStripe) -> None:
    client = alone.client()
    made = create(client, description="the shop", metadata={"a": "1"})
    assert str(made.secret).startswith("whsec_")
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id)
    assert "secret" not in client.v1.webhook_endpoints.list().data[0]
    assert made.status == "enabled"


def test_an_endpoint_is_changed_and_removed(alone: FakeStripe) -> None:
    client = alone.client()
    made = create(client)
    api = client.v1.webhook_endpoints
    events: Any = ["payment_intent.succeeded"]
    changed = api.update(
        made.id, {"url": "http://127.0.0.1:1/x", "enabled_events": events, "disabled": True}
    )
    assert (changed.url, changed.enabled_events) == ("http://127.0.0.1:1/x", events)
    assert changed.status == "disabled"
    assert api.update(made.id, {"disabled": False}).status == "enabled"
    assert api.delete(made.id).deleted is True
    assert api.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        api.retrieve(made.id)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"url": "shop.example"}, "url"),
        ({"url": "ftp://shop.example"}, "url"),
        ({"enabled_events": ["payment_intent.exploded"]}, "enabled_events[0]"),
        ({"enabled_events": ["*", "charge.failed"]}, "enabled_events"),
        ({"api_version": "2031-01-01.zinnia"}, "api_version"),
        ({"url": ""}, "url"),
    ],
)
def test_nonsense_is_refused(client: stripe.StripeClient, params: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        create(client, **params)
    assert caught.value.param == param


def test_there_can_be_sixteen(alone: FakeStripe) -> None:
    client = alone.client()
    for _ in range(16):
        create(client)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        create(client)


def status(fake: FakeStripe, id: str) -> str:
    return str(fake.client().v1.webhook_endpoints.retrieve(id).status)


def failing_since(fake: FakeStripe) -> Any:
    [standing] = fake.control("state")["webhook_endpoints"]
    return standing["failing_since"]


def test_days_of_failure_disable_an_endpoint(alone: FakeStripe, receiver: Receiver) -> None:
    receiver.status = 500
    id = alone.register_webhook(receiver.url)["id"]
    customer(alone.client())
    eventually(lambda: failing_since(alone) is not None, "the failure is noted")
    alone.advance(8 * DAY)
    alone.drain(30)
    assert status(alone, id) == "disabled"
    seen = len(receiver.received)
    receiver.status = 200
    customer(alone.client())
    alone.drain()
    assert len(receiver.received) == seen
    alone.client().v1.webhook_endpoints.update(id, {"disabled": False})
    customer(alone.client())
    receiver.wait(seen + 1)
    alone.drain()
    assert status(alone, id) == "enabled"
    assert failing_since(alone) is None


def test_one_answer_in_between_starts_the_count_anew(alone: FakeStripe, receiver: Receiver) -> None:
    id = alone.register_webhook(receiver.url)["id"]
    for answer in (500, 200, 500):
        receiver.status = answer
        seen = len(receiver.received)
        customer(alone.client())
        receiver.wait(seen + 1)
        if answer == 500:
            alone.advance(5 * DAY)
        alone.drain(30)
    assert status(alone, id) == "enabled"


@pytest.mark.parametrize("again", [True, False])
def test_a_delivery_survives_only_what_it_did_not_notice(
    alone: FakeStripe, receiver: Receiver, again: bool
) -> None:
    """Enabled again before the next attempt, an endpoint still gets it; later it is lost."""
    id = alone.register_webhook(receiver.url)["id"]
    alone.control("webhook_faults", {"kind": "late", "seconds": 3600})
    customer(alone.client())
    alone.control(f"webhook_endpoints/{id}/disable", {})
    if again:
        alone.control(f"webhook_endpoints/{id}/enable", {})
    alone.advance(3600)
    alone.control(f"webhook_endpoints/{id}/enable", {})
    alone.advance(2 * DAY)
    counts = alone.drain()
    assert len(receiver.received) == int(again)
    assert (counts["delivered"], counts["failed"]) == ((1, 0) if again else (0, 1))
