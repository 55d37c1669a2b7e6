"""Events: their shape, and how they are listed."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import RETURN_URL, customer, paid, payment_intent
from tests.fakestripe.harness import FakeStripe, Receiver
from tests.fakestripe.sdk_shapes import enumerated


def types(page: Any) -> list[str]:
    return [event.type for event in page.data]


def test_an_event_carries_the_object_as_it_was(alone: FakeStripe) -> None:
    client = alone.client()
    intent = payment_intent(client, metadata={"a": "1"})
    client.v1.payment_intents.update(intent.id, {"metadata": {"a": "2"}})
    event = client.v1.events.list({"type": "payment_intent.created"}).data[0]
    assert event.api_version == stripe.api_version == "2026-10-28.endive"
    assert (event.livemode, event.pending_webhooks) == (False, 0)
    assert event.data.object["id"] == intent.id
    assert event.data.object["metadata"]["a"] == "1"
    assert "previous_attributes" not in event.data
    assert client.v1.events.retrieve(event.id).id == event.id


def test_types_filter(alone: FakeStripe) -> None:
    client = alone.client()
    customer(client)
    paid(client)
    assert types(client.v1.events.list({"type": "customer.created"})) == ["customer.created"]
    assert types(client.v1.events.list({"type": "payment_intent.*"})) == [
        "payment_intent.succeeded",
        "payment_intent.created",
    ]
    wanted = ["customer.created", "charge.succeeded"]
    assert types(client.v1.events.list({"types": wanted})) == wanted[::-1]
    assert client.v1.events.list({"types": ["charge.refunded"]}).data == []


def test_only_types_that_the_sdk_knows_are_emitted(alone: FakeStripe) -> None:
    client = alone.client()
    buyer = customer(client)
    client.v1.customers.update(buyer.id, {"name": "Jo"})
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": buyer.id})
    client.v1.payment_methods.update(saved.id, {"metadata": {"a": "1"}})
    for method in ("pm_card_visa", "pm_card_standInProcessingFails"):
        paid(client, method)
    paid(client, "pm_card_authenticationRequired", return_url=RETURN_URL)
    paid(client, capture_method="manual")
    client.v1.payment_intents.cancel(payment_intent(client).id)
    client.v1.payment_intents.capture(paid(client, capture_method="manual").id)
    for method in ("pm_card_refundFail", "pm_card_createIssuerFraudRecord"):
        client.v1.refunds.create({"payment_intent": paid(client, method).id, "amount": 100})
    won, escalated = paid(client), paid(client)
    for intent, inquiry, outcome in ((won, False, "won"), (escalated, True, "escalated")):
        dispute = alone.control(f"payments/{intent.id}/dispute", {"inquiry": inquiry})
        client.v1.disputes.update(dispute["id"], {"evidence": {"customer_name": "Jo"}})
        alone.control(f"disputes/{dispute['id']}", {"outcome": outcome})
    client.v1.payment_methods.detach(saved.id)
    client.v1.customers.delete(buyer.id)
    alone.advance(8 * 24 * 3600)
    emitted = {event["type"] for event in alone.events()}
    assert len(emitted) == 30
    assert emitted <= enumerated(stripe.Event.__annotations__["type"])


def test_filters_are_limited(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.events.list({"types": [f"a.{i}" for i in range(21)]})
    assert caught.value.param == "types"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.list({"types": ["a.b"], "type": "a.b"})


def test_undelivered_events_are_found(alone: FakeStripe, receiver: Receiver) -> None:
    client = alone.client()
    customer(client)
    alone.register_webhook(receiver.url)
    alone.control("webhook_faults", {"kind": "dropped", "type": "charge.succeeded"})
    paid(client)
    receiver.wait(2)
    alone.drain()
    missed = client.v1.events.list({"delivery_success": False})
    assert types(missed) == ["charge.succeeded"]
    assert missed.data[0].pending_webhooks == 1
    assert set(types(client.v1.events.list({"delivery_success": True}))) == {
        "customer.created",  # there was no endpoint then
        "payment_intent.created",
        "payment_intent.succeeded",
    }
    alone.redelivers("charge.succeeded")
    alone.drain()
    assert client.v1.events.list({"delivery_success": False}).data == []
    assert client.v1.events.retrieve(missed.data[0].id).pending_webhooks == 0


def test_catching_up_reads_in_the_order_of_events(alone: FakeStripe) -> None:
    client = alone.client()
    first = customer(client)
    start = client.v1.events.list().data[0]
    made = [customer(client).id for _ in range(15)]
    page = client.v1.events.list({"ending_before": start.id, "limit": 10})
    seen = [event.data.object["id"] for event in page.auto_paging_iter()]
    assert seen == made
    assert first.id not in seen


def test_events_are_kept_for_thirty_days(alone: FakeStripe) -> None:
    client = alone.client()
    customer(client)
    event = client.v1.events.list().data[0]
    alone.advance(29 * 24 * 3600)
    assert len(client.v1.events.list().data) == 1
    alone.advance(2 * 24 * 3600)
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(event.id)


def test_a_star_is_the_only_wildcard(alone: FakeStripe) -> None:
    client = alone.client()
    paid(client)
    assert len(client.v1.events.list({"type": "*.succeeded"}).data) == 2
    for pattern in ("charge.succeede?", "charge.succeede[d]", "charge"):
        assert client.v1.events.list({"type": pattern}).data == []


def test_events_are_listed_by_their_time(alone: FakeStripe) -> None:
    client = alone.client()
    customer(client)
    alone.advance(3600)
    customer(client)
    newest, oldest = client.v1.events.list().data
    between = {"gt": oldest.created, "lte": newest.created}
    assert [it.id for it in client.v1.events.list({"created": between}).data] == [newest.id]
    assert [it.id for it in client.v1.events.list({"created": oldest.created}).data] == [oldest.id]


@pytest.mark.parametrize("cursor", ["ending_before", "starting_after"])
def test_a_forgotten_event_is_no_cursor(alone: FakeStripe, cursor: str) -> None:
    client = alone.client()
    customer(client)
    params: Any = {cursor: client.v1.events.list().data[0].id}
    alone.advance(31 * 24 * 3600)
    customer(client)
    for gone in (params, {cursor: "evt_never"}):
        with pytest.raises(stripe.InvalidRequestError, match="No such event") as caught:
            client.v1.events.list(gone)
        assert (caught.value.code, caught.value.param) == ("resource_missing", cursor)


def test_what_a_disabled_endpoint_missed_is_found_in_the_list(
    alone: FakeStripe, receiver: Receiver
) -> None:
    client = alone.client()
    endpoint = alone.register_webhook(receiver.url)
    customer(client)
    receiver.wait(1)
    alone.drain()
    last = client.v1.events.list().data[0]
    alone.control(f"webhook_endpoints/{endpoint['id']}/disable", {})
    missed = [customer(client).id for _ in range(3)]
    alone.control(f"webhook_endpoints/{endpoint['id']}/enable", {})
    sent = customer(client).id
    receiver.wait(2)
    alone.drain()
    assert len(receiver.received) == 2
    since = client.v1.events.list({"ending_before": last.id}).auto_paging_iter()
    assert [it.data.object["id"] for it in since] == [*missed, sent]
    assert client.v1.events.list({"delivery_success": False}).data == []
