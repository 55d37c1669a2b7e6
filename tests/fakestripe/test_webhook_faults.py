"""Faults of webhook delivery: twice, late, shuffled, dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from storefront.fakestripe.webhook_faults import WebhookFaults
from tests.fakestripe.builders import customer, paid
from tests.fakestripe.harness import FakeStripe, Receiver

JSON = dict[str, Any]


def fault(fake: FakeStripe, kind: str, **description: Any) -> JSON:
    return fake.control("webhook_faults", {"kind": kind, **description})


def arrived(receiver: Receiver) -> list[str]:
    return [json.loads(request.body)["data"]["object"]["id"] for request in receiver.received]


def test_twice(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "twice", type="customer.*", count=1)
    made = [customer(alone.client()).id for _ in range(2)]
    receiver.wait(3)
    alone.drain()
    assert sorted(arrived(receiver)) == sorted([made[0], made[0], made[1]])


def test_late(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "late", type="payment_intent.succeeded", seconds=3600)
    paid(alone.client())
    receiver.wait(2)
    assert "payment_intent.succeeded" not in receiver.types()
    event = alone.events("payment_intent.succeeded")[0]["id"]
    assert alone.control(f"deliveries?event={event}")["data"][0]["state"] == "pending"
    alone.advance(3601)
    assert "payment_intent.succeeded" in receiver.types()


def test_dropped(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "dropped", type="payment_intent.succeeded", count=1)
    paid(alone.client())
    receiver.wait(2)
    alone.advance(30 * 3600)
    counts = alone.drain()
    assert counts["dropped"] == 1
    assert "payment_intent.succeeded" not in receiver.types()
    alone.redelivers("payment_intent.succeeded", times=3)
    alone.drain()
    assert receiver.types().count("payment_intent.succeeded") == 3


def test_shuffled(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "shuffled", hold=6, seed=7)
    client = alone.client()
    made = [customer(client).id for _ in range(5)]
    assert alone.control("state")["deliveries"]["held"] == 5
    made.append(customer(client).id)
    receiver.wait(6)
    first = arrived(receiver)
    assert sorted(first) == sorted(made)
    assert first != made
    alone.drain()


def test_the_order_comes_from_the_seed(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    client = alone.client()
    orders = []
    for _ in range(2):
        rule = fault(alone, "shuffled", hold=6, seed=11)
        made = [customer(client).id for _ in range(6)]
        received = arrived_batch(receiver, 6)
        orders.append([made.index(id) for id in received])
        alone.control(f"webhook_faults/{rule['id']}", method="DELETE")
    assert orders[0] == orders[1]


def arrived_batch(receiver: Receiver, count: int) -> list[str]:
    receiver.wait(count)
    ids = arrived(receiver)
    receiver.received.clear()
    return ids


def test_held_events_are_released_by_drain_and_by_switching_off(
    alone: FakeStripe, receiver: Receiver
) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "shuffled", hold=50)
    client = alone.client()
    customer(client)
    customer(client)
    assert alone.drain()["delivered"] == 2
    customer(client)
    assert alone.control("webhook_faults", method="DELETE") == {"removed": 1}
    receiver.wait(3)
    alone.drain()


def test_what_was_drawn_before_a_fault_was_switched_off_is_not_held_for_ever() -> None:
    faults = WebhookFaults()
    faults.add({"kind": "shuffled"})
    drawn = faults.draw("customer.created")
    assert drawn is not None
    assert faults.hold(drawn, [1]) == []
    assert faults.clear() == (1, [[1]])
    assert faults.hold(drawn, [2]) == [2]


def test_other_events_are_left_alone(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    fault(alone, "dropped", type="charge.*")
    customer(alone.client())
    receiver.wait(1)
    alone.drain()
    assert alone.control("webhook_faults")["data"][0]["hits"] == 0


@pytest.mark.parametrize(
    "description",
    [
        {"kind": "lost"},
        {"kind": "late", "seconds": -1},
        {"kind": "late", "seconds": "soon"},
        {"kind": "shuffled", "hold": 1},
        {"kind": "shuffled", "seed": "x"},
        {"kind": "twice", "type": ""},
        {"kind": "twice", "probability": True},
        {"kind": "twice", "held": [1]},
    ],
)
def test_nonsense_is_refused(fakestripe: FakeStripe, description: JSON) -> None:
    url = f"{fakestripe.url}/_control/webhook_faults"
    answer = requests.post(url, json=description, timeout=10)
    assert answer.status_code == 400
    assert fakestripe.control("webhook_faults")["data"] == []
