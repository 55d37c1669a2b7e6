"""Stripe's list of events, as the gateway hands it on."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from storefront.errors import BadInput, NotFound, StripeRefused
from storefront.stripe_gateway import API_VERSION, StripeGateway
from tests.fakestripe.harness import JSON, FakeStripe

TYPES = ("customer.created", "customer.updated")


@pytest.fixture
def events(fakestripe: FakeStripe) -> list[JSON]:
    """One customer.created and four customer.updated, oldest first."""
    client = fakestripe.client()
    customer = client.v1.customers.create({"name": "Zoë\x7f"})
    for number in range(4):
        client.v1.customers.update(customer.id, {"name": str(number)})
    return fakestripe.events("customer.*")


def test_a_page_is_the_newest_events_newest_first(
    gateway: StripeGateway, events: list[JSON]
) -> None:
    page = gateway.list_events(TYPES, limit=2)
    assert [event.id for event in page.events] == [events[4]["id"], events[3]["id"]]
    assert (page.more, page.newest_id, page.oldest_id) == (True, events[4]["id"], events[3]["id"])
    whole = gateway.list_events(TYPES)
    assert (len(whole.events), whole.more) == (5, False)
    assert [event.type for event in gateway.list_events(TYPES[:1]).events] == ["customer.created"]


def test_pages_go_on_from_an_event_in_either_direction(
    gateway: StripeGateway, events: list[JSON]
) -> None:
    older = gateway.list_events(TYPES, older_than=events[3]["id"], limit=2)
    assert [event.id for event in older.events] == [events[2]["id"], events[1]["id"]]
    newer = gateway.list_events(TYPES, newer_than=events[0]["id"], limit=2)
    assert [event.id for event in newer.events] == [events[2]["id"], events[1]["id"]]
    assert older.more and newer.more
    end = gateway.list_events(TYPES, newer_than=events[4]["id"])
    assert (end.events, end.more, end.newest_id, end.oldest_id) == ((), False, None, None)


def test_a_page_may_begin_at_a_time_and_hold_the_undelivered_alone(
    gateway: StripeGateway, events: list[JSON], fakestripe: FakeStripe
) -> None:
    newest = gateway.list_events(TYPES).events[0]
    later = newest.created + timedelta(seconds=1)
    assert len(gateway.list_events(TYPES, created_from=newest.created).events) >= 1
    assert gateway.list_events(TYPES, created_from=later).events == ()
    assert gateway.list_events(TYPES, undelivered=True).events == ()
    fakestripe.register_webhook("http://127.0.0.1:9/nobody")
    fakestripe.client().v1.customers.update(events[0]["data"]["object"]["id"], {"name": "x"})
    (missed,) = gateway.list_events(TYPES, undelivered=True).events
    assert missed.type == "customer.updated"


def test_an_event_of_the_list_is_what_a_delivery_would_be(
    gateway: StripeGateway, events: list[JSON]
) -> None:
    listed = gateway.list_events(TYPES).events[-1]
    assert (listed.type, listed.livemode, listed.api_version) == (
        "customer.created",
        False,
        API_VERSION,
    )
    assert json.loads(listed.payload)["data"] == events[0]["data"]
    assert listed.object["name"] == "Zoë\x7f"
    alone = gateway.retrieve_event(listed.id)
    assert replace(alone, payload="") == replace(listed, payload="")


def test_ids_that_stripe_does_not_know_are_not_found(
    gateway: StripeGateway, events: list[JSON]
) -> None:
    with pytest.raises(NotFound):
        gateway.list_events(TYPES, newer_than="evt_unknown")
    with pytest.raises(NotFound):
        gateway.list_events(TYPES, older_than="evt_unknown")
    with pytest.raises(NotFound):
        gateway.retrieve_event("evt_unknown")


def test_more_types_than_one_call_may_name_are_refused(gateway: StripeGateway) -> None:
    with pytest.raises(StripeRefused):
        gateway.list_events([f"a.type.{number}" for number in range(21)])


def test_events_of_the_other_mode_are_left_out(
    gateway: StripeGateway, events: list[JSON], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot come with a key of our mode; if they did, they would have no effect."""
    monkeypatch.setattr(gateway, "livemode", True)
    page = gateway.list_events(TYPES, limit=2)
    assert (page.events, page.more, page.oldest_id) == ((), True, events[3]["id"])
    with pytest.raises(BadInput):
        gateway.retrieve_event(events[0]["id"])
