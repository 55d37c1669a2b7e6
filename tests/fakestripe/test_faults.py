"""Faults of the API: each does what it says, where it says, as often as it says."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
import stripe

from tests.fakestripe.builders import customer, payment_intent
from tests.fakestripe.harness import FakeStripe

JSON = dict[str, Any]


def fault(fake: FakeStripe, kind: str, **description: Any) -> JSON:
    return fake.control("faults", {"kind": kind, **description})


def hits(fake: FakeStripe) -> list[int]:
    return [rule["hits"] for rule in fake.control("faults")["data"]]


def test_latency(alone: FakeStripe) -> None:
    fault(alone, "latency", latency_ms=300, path="/v1/customers", method="POST")
    client = alone.client()
    started = time.monotonic()
    client.v1.customers.list()
    customer(client)
    assert time.monotonic() - started >= 0.3
    assert hits(alone) == [1]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_before_the_work(alone: FakeStripe, status: int) -> None:
    fault(alone, "status", status=status, count=1)
    client = alone.client()
    with pytest.raises(stripe.APIError) as caught:
        customer(client)
    assert caught.value.http_status == status
    assert client.v1.customers.list().data == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_after_the_work(alone: FakeStripe, status: int) -> None:
    fault(alone, "status", status=status, after=True, method="POST", count=1)
    client = alone.client()
    with pytest.raises(stripe.APIError):
        customer(client)
    assert len(client.v1.customers.list().data) == 1


def test_a_rate_limit_says_whether_to_retry(alone: FakeStripe) -> None:
    client = alone.client(max_network_retries=2)
    fault(alone, "rate_limit", count=1)
    with pytest.raises(stripe.RateLimitError) as caught:
        customer(client)
    assert caught.value.error is not None
    assert caught.value.error.code == "rate_limit"
    fault(alone, "rate_limit", count=1, should_retry=True)
    assert customer(client).id  # the SDK obeyed Stripe-Should-Retry and tried again
    assert len(client.v1.customers.list().data) == 1


def test_a_dropped_connection(alone: FakeStripe) -> None:
    fault(alone, "drop", method="POST", count=1)
    client = alone.client()
    with pytest.raises(stripe.APIConnectionError):
        customer(client)
    assert client.v1.customers.list().data == []


def test_a_connection_dropped_after_the_work(alone: FakeStripe) -> None:
    fault(alone, "drop_after", method="POST", count=1)
    client = alone.client()
    options: Any = {"idempotency_key": "k1"}
    params: Any = {"email": "jo@example.com"}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create(params, options)
    [made] = client.v1.customers.list().data
    assert client.v1.customers.create(params, options).id == made.id
    assert len(client.v1.customers.list().data) == 1


def test_the_sdks_own_retries_make_one_object(alone: FakeStripe) -> None:
    fault(alone, "drop_after", method="POST", count=2)
    client = alone.client(max_network_retries=3)
    made = payment_intent(client)
    assert [i.id for i in client.v1.payment_intents.list()] == [made.id]
    assert len(alone.events("payment_intent.created")) == 1


def test_a_fault_hits_only_its_path_and_method(alone: FakeStripe) -> None:
    fault(alone, "status", path="/v1/payment_intents*", method="POST")
    client = alone.client()
    customer(client)
    assert client.v1.payment_intents.list().data == []
    with pytest.raises(stripe.APIError):
        payment_intent(client)


def test_probability(alone: FakeStripe) -> None:
    fault(alone, "status", status=503, probability=0.5)
    statuses = {
        requests.get(
            f"{alone.url}/v1/customers",
            headers={"Authorization": "Bearer sk_test_fakestripe"},
            timeout=10,
        ).status_code
        for _ in range(60)
    }
    assert statuses == {200, 503}


def test_faults_can_be_switched_off(alone: FakeStripe) -> None:
    one = fault(alone, "status", path="/v1/customers")
    fault(alone, "status", path="/v1/charges")
    alone.control(f"faults/{one['id']}", method="DELETE")
    customer(alone.client())
    assert [rule["path"] for rule in alone.control("faults")["data"]] == ["/v1/charges"]
    assert alone.control("faults", method="DELETE") == {"removed": 1}
    assert alone.control("faults")["data"] == []


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"kind": "explode"},
        {"kind": "latency"},
        {"kind": "latency", "latency_ms": -1},
        {"kind": "latency", "latency_ms": "fast"},
        {"kind": "status", "status": 418},
        {"kind": "drop", "probability": 2},
        {"kind": "drop", "probability": "often"},
        {"kind": "drop", "count": 0},
        {"kind": "drop", "count": 1.5},
        {"kind": "drop", "method": "BREW"},
        {"kind": "drop", "path": "v1"},
        {"kind": "drop", "colour": "red"},
        {"kind": "drop", "hits": 3},
    ],
)
def test_nonsense_is_refused(fakestripe: FakeStripe, description: JSON) -> None:
    answer = requests.post(f"{fakestripe.url}/_control/faults", json=description, timeout=10)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert fakestripe.control("faults")["data"] == []
