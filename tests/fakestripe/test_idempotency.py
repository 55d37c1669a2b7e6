"""One execution per idempotency key, as Stripe documents it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from tests.fakestripe.builders import payment_intent
from tests.fakestripe.harness import FakeStripe, running_fakestripe

JSON = dict[str, Any]
INTENT = {"amount": "1000", "currency": "usd"}


def post(
    fake: FakeStripe, key: str | None, params: JSON, path: str = "payment_intents"
) -> requests.Response:
    headers = {"Authorization": "Bearer sk_test_fakestripe"}
    if key is not None:
        headers["Idempotency-Key"] = key
    return requests.post(f"{fake.url}/v1/{path}", data=params, headers=headers, timeout=30)


def count(fake: FakeStripe, type: str = "payment_intent") -> int:
    found: int = fake.control("state")["objects"].get(type, 0)
    return found


def test_a_repeated_request_gets_the_first_answer(alone: FakeStripe) -> None:
    first, second = post(alone, "k1", INTENT), post(alone, "k1", INTENT)
    assert second.text == first.text
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert count(alone) == 1
    assert len(alone.events("payment_intent.created")) == 1


def test_it_survives_a_crash(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        first = post(fake, "k1", INTENT)
        fake.kill()
    with running_fakestripe(tmp_path) as again:
        assert post(again, "k1", INTENT).json()["id"] == first.json()["id"]


def test_other_parameters_are_refused(alone: FakeStripe) -> None:
    post(alone, "k1", INTENT)
    answer = post(alone, "k1", {**INTENT, "amount": "2000"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert "same parameters" in answer.json()["error"]["message"]
    other_path = post(alone, "k1", {}, "customers")
    assert other_path.json()["error"]["type"] == "idempotency_error"
    assert count(alone) == 1
    with pytest.raises(stripe.IdempotencyError):
        alone.client().v1.customers.create({}, {"idempotency_key": "k1"})


def test_the_order_of_parameters_does_not_matter(alone: FakeStripe) -> None:
    post(alone, "k1", {"amount": "1000", "currency": "usd"})
    assert post(alone, "k1", {"currency": "usd", "amount": "1000"}).status_code == 200


def test_a_decline_is_remembered(alone: FakeStripe) -> None:
    params = {**INTENT, "confirm": "true", "payment_method": "pm_card_visa_chargeDeclined",
              "return_url": "https://shop.example/"}  # fmt: skip
    first, second = post(alone, "k1", params), post(alone, "k1", params)
    assert first.status_code == second.status_code == 402
    assert second.text == first.text
    assert count(alone, "charge") == 1


def test_refused_input_is_not_remembered(alone: FakeStripe) -> None:
    assert post(alone, "k1", {"amount": "1000"}).status_code == 400
    assert post(alone, "k1", INTENT).status_code == 200


def test_a_server_error_is_remembered(alone: FakeStripe) -> None:
    alone.control("faults", {"kind": "status", "status": 500, "count": 1})
    first, second = post(alone, "k1", INTENT), post(alone, "k1", INTENT)
    assert first.status_code == second.status_code == 500
    assert second.headers["Idempotent-Replayed"] == "true"
    assert post(alone, "k2", INTENT).status_code == 200


@pytest.mark.parametrize(
    "fault", [{"kind": "rate_limit"}, {"kind": "status", "status": 503}, {"kind": "latency",
                                                                         "latency_ms": 1}]
)  # fmt: skip
def test_trouble_in_front_of_the_api_is_not_remembered(alone: FakeStripe, fault: JSON) -> None:
    alone.control("faults", {**fault, "count": 1})
    post(alone, "k1", INTENT)
    assert post(alone, "k1", INTENT).status_code == 200
    assert count(alone) == 1


def test_a_key_in_use_conflicts(alone: FakeStripe) -> None:
    alone.control("faults", {"kind": "latency", "latency_ms": 1500, "count": 1})
    answers: list[requests.Response] = []
    slow = threading.Thread(target=lambda: answers.append(post(alone, "k1", INTENT)))
    slow.start()
    while alone.control("faults")["data"][0]["hits"] == 0:
        pass  # the slow request has not been taken up yet
    conflict = post(alone, "k1", INTENT)
    slow.join()
    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert answers[0].status_code == 200
    assert post(alone, "k1", INTENT).json()["id"] == answers[0].json()["id"]


def test_keys_are_forgotten_after_a_day(alone: FakeStripe) -> None:
    first = post(alone, "k1", INTENT).json()["id"]
    alone.advance(23 * 3600)
    assert post(alone, "k1", INTENT).json()["id"] == first
    alone.advance(3600)
    assert post(alone, "k1", INTENT).json()["id"] != first


def test_a_long_key_is_refused(alone: FakeStripe) -> None:
    assert post(alone, "k" * 255, INTENT).status_code == 200
    assert post(alone, "k" * 256, INTENT).status_code == 400


def test_events_name_the_key(alone: FakeStripe) -> None:
    answer = post(alone, "k1", INTENT)
    event = alone.events("payment_intent.created")[0]
    assert event["request"] == {"id": answer.headers["Request-Id"], "idempotency_key": "k1"}


def test_parallel_requests_with_one_key_execute_once(alone: FakeStripe) -> None:
    client = alone.client(max_network_retries=5)
    ids: list[str] = []

    def create() -> None:
        options: Any = {"idempotency_key": "k1"}
        made = client.v1.payment_intents.create({"amount": 1000, "currency": "usd"}, options)
        ids.append(made.id)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert count(alone) == 1


def test_reads_ignore_the_header(alone: FakeStripe) -> None:
    intent = payment_intent(alone.client())
    headers = {"Authorization": "Bearer sk_test_fakestripe", "Idempotency-Key": "k1"}
    for _ in range(2):
        answer = requests.get(
            f"{alone.url}/v1/payment_intents/{intent.id}", headers=headers, timeout=10
        )
        assert "Idempotent-Replayed" not in answer.headers
