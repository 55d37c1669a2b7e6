"""Webhook endpoints over the API."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.harness import FakeStripe


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
