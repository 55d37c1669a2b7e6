"""The control interface: what it shows, does, and refuses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakestripe.builders import customer, paid
from tests.fakestripe.harness import FakeStripe, Receiver, running_fakestripe

JSON = dict[str, Any]


def post(fake: FakeStripe, path: str, json: Any, **headers: str) -> requests.Response:
    return requests.post(f"{fake.url}/_control/{path}", json=json, headers=headers, timeout=30)


def test_the_state_at_a_glance(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    customer(alone.client())
    alone.drain()
    state = alone.control("state")
    assert state["objects"] == {"customer": 1, "event": 1, "webhook_endpoint": 1}
    assert state["deliveries"]["delivered"] == 1
    assert state["webhook_endpoints"][0]["url"] == receiver.url
    assert "secret" not in state["webhook_endpoints"][0]
    assert state["url"] == alone.url


def test_objects_are_shown_as_the_api_shows_them(alone: FakeStripe) -> None:
    client = alone.client()
    intent = paid(client)
    shown = alone.control("objects?type=payment_intent")["data"]
    assert [o["id"] for o in shown] == [intent.id]
    assert alone.control(f"objects/{intent.id}")["status"] == "succeeded"
    newest = alone.control("objects?limit=1")["data"]
    assert [o["object"] for o in newest] == ["charge"]
    assert requests.get(f"{alone.url}/_control/objects/pi_x", timeout=10).status_code == 404


def test_the_clock_moves_forward_and_survives(tmp_path: Path) -> None:
    with running_fakestripe(tmp_path) as fake:
        fake.advance(3600)
        clock = fake.control("clock")
        assert 3600 <= clock["ahead_seconds"] < 3601
        assert abs(clock["now"] - time.time() - 3600) < 5
        made = customer(fake.client())
        assert made.created > time.time() + 3500
    with running_fakestripe(tmp_path) as again:
        assert again.control("clock")["ahead_seconds"] >= 3600


@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("clock", {}),
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_seconds": "1"}),
        ("clock", {"advance_seconds": True}),
        ("clock", [1]),
        ("clock", {"advance_seconds": 10**12}),
        ("redeliver", {}),
        ("redeliver", {"type": "customer.created", "times": 0}),
        ("redeliver", {"type": "customer.created", "times": 1.5}),
        ("keys/revoke", {}),
        ("drain", {"seconds": 10**6}),
    ],
)
def test_nonsense_is_refused_in_a_sentence(fakestripe: FakeStripe, path: str, json: Any) -> None:
    answer = post(fakestripe, path, json)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("redeliver", {"type": "charge.refunded"}),
        ("events/evt_x/redeliver", {}),
        ("webhook_endpoints/we_x/roll", {}),
    ],
)
def test_what_is_not_there_is_not_found(fakestripe: FakeStripe, path: str, json: JSON) -> None:
    assert post(fakestripe, path, json).status_code == 404
    for faults in ("faults", "webhook_faults"):
        url = f"{fakestripe.url}/_control/{faults}/fault_x"
        assert requests.delete(url, timeout=10).status_code == 404


def test_pages_of_other_sites_are_refused(fakestripe: FakeStripe) -> None:
    move = {"advance_seconds": 0}
    assert post(fakestripe, "clock", move, Origin=fakestripe.url).status_code == 200
    assert post(fakestripe, "clock", move, Origin="https://evil.example").status_code == 403
    assert post(fakestripe, "clock", move, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert post(fakestripe, "clock", move, Host="evil.example").status_code == 403
    get = requests.get(
        f"{fakestripe.url}/_control/state", headers={"Host": "evil.example:80"}, timeout=10
    )
    assert get.status_code == 403


def test_a_form_cannot_write(fakestripe: FakeStripe) -> None:
    url = f"{fakestripe.url}/_control/clock"
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = requests.post(
            url,
            data='{"advance_seconds": 0}',
            headers={"Content-Type": content_type},
            timeout=10,
        )
        assert answer.status_code == 400


def test_reset_keeps_endpoints_and_keys(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    customer(alone.client())
    alone.drain()
    alone.advance(1000)
    alone.control("faults", {"kind": "drop", "path": "/v1/charges"})
    alone.control("keys/revoke", {"key": "sk_test_fakestripe"})
    alone.control("reset", {})
    state = alone.control("state")
    assert state["objects"] == {"webhook_endpoint": 1}
    assert (state["faults"], state["clock"]["ahead_seconds"]) == ([], 0)
    assert sum(state["deliveries"].values()) == 0
    customer(alone.client())
    receiver.wait(2)
    alone.drain()


def test_reset_can_forget_the_endpoints_too(alone: FakeStripe, receiver: Receiver) -> None:
    alone.register_webhook(receiver.url)
    alone.control("reset", {"webhook_endpoints": True})
    assert alone.control("state")["objects"] == {}


def test_drain_says_when_it_gave_up(alone: FakeStripe) -> None:
    alone.register_webhook("http://127.0.0.1:9/nobody")
    customer(alone.client())
    answer = alone.control("drain", {"seconds": 0.3})
    assert (answer["drained"], answer["pending"]) == (False, 1)
