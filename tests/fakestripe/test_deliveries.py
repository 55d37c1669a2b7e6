"""Deliveries: signed, retried, visible, and not lost by a restart."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import stripe
from stripe import WebhookSignature

from tests.fakestripe.builders import customer, paid
from tests.fakestripe.harness import FakeStripe, Receiver, running_fakestripe

JSON = dict[str, Any]


def deliveries(fake: FakeStripe, event: str = "") -> list[JSON]:
    found: list[JSON] = fake.control(f"deliveries?event={event}")["data"]
    return found


def signed_at(signature: str) -> int:
    return int(signature.split(",")[0].removeprefix("t="))


def verified(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body.decode(), signature, secret, 300))
    except stripe.SignatureVerificationError:
        return False


def test_an_event_arrives_signed(alone: FakeStripe, receiver: Receiver) -> None:
    endpoint = alone.register_webhook(receiver.url)
    made = customer(alone.client())
    [request] = receiver.wait(1)
    assert verified(request.body, request.signature, endpoint["secret"])
    assert not verified(request.body + b" ", request.signature, endpoint["secret"])
    assert not verified(request.body, request.signature, "whsec_another")
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["User-Agent"].startswith("Stripe/1.0")
    event = json.loads(request.body)
    assert event["data"]["object"]["id"] == made.id
    assert request.body.startswith(b'{\n  "id": "evt_')


def test_every_event_of_a_payment_arrives(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    paid(alone.client())
    receiver.wait(3)
    alone.drain()
    assert set(receiver.types()) >= {
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    }


def test_an_endpoint_gets_what_it_asked_for(alone: FakeStripe, receiver: Receiver) -> None:
    endpoint = alone.register_webhook(receiver.url, ("customer.deleted",))
    client = alone.client()
    client.v1.customers.delete(customer(client).id)
    receiver.wait(1)
    alone.drain()
    assert receiver.types() == ["customer.deleted"]
    client.v1.webhook_endpoints.update(endpoint["id"], {"disabled": True})
    client.v1.customers.delete(customer(client).id)
    alone.drain()
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_only_2xx_counts(alone: FakeStripe, receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    alone.register_webhook(receiver.url)
    customer(alone.client())
    receiver.wait(1)
    alone.advance(2)
    receiver.wait(2)
    alone.drain()
    [delivery] = deliveries(alone)
    assert delivery["state"] == "delivered"
    assert [attempt["status"] for attempt in delivery["tries"]] == [status, 200]
    assert delivery["tries"][0]["response"] == '{"received": true}'


def test_each_retry_is_signed_anew(alone: FakeStripe, receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint = alone.register_webhook(receiver.url)
    customer(alone.client())
    receiver.wait(2)  # the first retry comes a second later by itself
    first, second = receiver.received[:2]
    assert first.body == second.body
    assert signed_at(second.signature) > signed_at(first.signature)
    assert all(verified(r.body, r.signature, endpoint["secret"]) for r in (first, second))


def test_signatures_are_in_real_time_whatever_the_clock_says(
    alone: FakeStripe, receiver: Receiver
) -> None:
    endpoint = alone.register_webhook(receiver.url)
    alone.advance(10 * 24 * 3600)
    customer(alone.client())
    [request] = receiver.wait(1)
    assert abs(signed_at(request.signature) - time.time()) < 60
    assert verified(request.body, request.signature, endpoint["secret"])
    assert json.loads(request.body)["created"] > time.time() + 9 * 24 * 3600


def test_retries_back_off_and_end_after_three_days(alone: FakeStripe, receiver: Receiver) -> None:
    receiver.status = 500
    alone.register_webhook(receiver.url)
    customer(alone.client())
    receiver.wait(1)
    for _ in range(40):
        alone.advance(6 * 3600)
    [delivery] = deliveries(alone)
    assert delivery["state"] == "failed"
    times = [attempt["at"] for attempt in delivery["tries"]]
    assert 5 <= len(times) <= 25
    # The clock moved in steps of six hours, so the last try may be late by one.
    assert times[-1] - delivery["created"] <= (3 * 24 + 6) * 3600
    count = len(receiver.received)
    alone.advance(10 * 24 * 3600)
    assert len(receiver.received) == count


def test_the_wait_doubles(alone: FakeStripe, receiver: Receiver) -> None:
    receiver.status = 500
    alone.register_webhook(receiver.url)
    customer(alone.client())
    receiver.wait(1)
    for seconds in (1, 2, 4, 8):
        [delivery] = wait_for_attempt(alone)
        waited = delivery["next_try"] - delivery["tries"][-1]["at"]
        assert seconds <= waited < seconds + 1
        alone.advance(waited)


def wait_for_attempt(fake: FakeStripe) -> list[JSON]:
    """Return the deliveries once the attempt under way has been written down."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = deliveries(fake)
        if found[0]["tries"] and found[0]["attempts"] == len(found[0]["tries"]):
            return found
    raise AssertionError("no attempt was recorded")


def test_an_unreachable_endpoint_is_recorded(alone: FakeStripe) -> None:
    alone.register_webhook("http://127.0.0.1:9/nobody")
    customer(alone.client())
    [delivery] = wait_for_attempt(alone)
    assert delivery["state"] == "pending"
    assert delivery["tries"][0]["status"] is None
    assert "refused" in delivery["tries"][0]["error"]


def test_a_slow_endpoint_does_not_hold_up_another(alone: FakeStripe, receiver: Receiver) -> None:
    with Receiver() as slow:
        slow.wait_for = threading.Event()
        alone.register_webhook(slow.url)
        alone.register_webhook(receiver.url)
        customer(alone.client())
        receiver.wait(1)
        slow.wait(1)
        slow.wait_for.set()
        alone.drain()


def test_what_was_pending_is_sent_after_a_crash(tmp_path: Path, receiver: Receiver) -> None:
    with running_fakestripe(tmp_path) as fake:
        receiver.status = 500
        endpoint = fake.register_webhook(receiver.url)
        made = customer(fake.client())
        fake.control("webhook_faults", {"kind": "shuffled", "hold": 5})
        held = customer(fake.client())
        receiver.wait(1)
        fake.kill()
    receiver.received.clear()
    receiver.status = 200
    with running_fakestripe(tmp_path) as again:
        receiver.wait(2)
        again.drain()
        ids = {json.loads(r.body)["data"]["object"]["id"] for r in receiver.received}
        assert ids == {made.id, held.id}
        for request in receiver.received:
            assert verified(request.body, request.signature, endpoint["secret"])


def test_a_rolled_secret_signs_along_for_a_while(alone: FakeStripe, receiver: Receiver) -> None:
    endpoint = alone.register_webhook(receiver.url)
    path = f"webhook_endpoints/{endpoint['id']}/roll"
    new = alone.control(path, {"expires_in": 3600})["secret"]
    customer(alone.client())
    [request] = receiver.wait(1)
    assert request.signature.count("v1=") == 2
    assert verified(request.body, request.signature, endpoint["secret"])
    assert verified(request.body, request.signature, new)
    newest = alone.control(path, {"expires_in": 0})["secret"]
    customer(alone.client())
    request = receiver.wait(2)[1]
    assert verified(request.body, request.signature, newest)
    assert not verified(request.body, request.signature, endpoint["secret"])


def test_events_can_be_sent_again(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    customer(alone.client())
    receiver.wait(1)
    event = alone.events("customer.created")[0]
    alone.control(f"events/{event['id']}/redeliver", {"times": 2})
    alone.redelivers("customer.created", times=3)
    receiver.wait(6)
    alone.drain()
    bodies = {request.body for request in receiver.received}
    assert (len(receiver.received), len(bodies)) == (6, 1)
    reasons = [delivery["reason"] for delivery in deliveries(alone, event["id"])]
    assert sorted(reasons) == ["event"] + ["redelivery"] * 5


def test_a_deleted_endpoint_gets_nothing_more(alone: FakeStripe, receiver: Receiver) -> None:
    receiver.status = 500
    endpoint = alone.register_webhook(receiver.url)
    client = alone.client()
    customer(client)
    wait_for_attempt(alone)
    client.v1.webhook_endpoints.delete(endpoint["id"])
    count = len(receiver.received)
    alone.advance(3600)
    customer(client)
    alone.drain()
    assert len(receiver.received) == count


def test_the_endpoint_decides_the_api_version(alone: FakeStripe, receiver: Receiver) -> None:
    params: Any = {"url": receiver.url, "enabled_events": ["*"], "api_version": "2025-03-31.basil"}
    alone.client().v1.webhook_endpoints.create(params)
    customer(alone.client())
    [request] = receiver.wait(1)
    assert json.loads(request.body)["api_version"] == "2025-03-31.basil"
