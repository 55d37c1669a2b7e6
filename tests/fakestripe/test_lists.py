"""Lists: newest first, pages by cursor, filters by time."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakestripe.builders import customer, paid
from tests.fakestripe.harness import FakeStripe


def test_pages_follow_each_other(alone: FakeStripe) -> None:
    client = alone.client()
    made = [customer(client).id for _ in range(7)]
    first = client.v1.customers.list({"limit": 3})
    assert [c.id for c in first.data] == made[:3:-1]
    assert (first.has_more, first.url) == (True, "/v1/customers")
    second = client.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    assert [c.id for c in second.data] == made[3:0:-1]
    back = client.v1.customers.list({"limit": 2, "ending_before": second.data[-1].id})
    assert [c.id for c in back.data] == [made[3], made[2]]
    assert back.has_more is True


def test_the_sdk_pages_through_both_ways(alone: FakeStripe) -> None:
    client = alone.client()
    made = [customer(client).id for _ in range(25)]
    forward = [c.id for c in client.v1.customers.list({"limit": 10}).auto_paging_iter()]
    assert forward == made[::-1]
    after = client.v1.customers.list({"limit": 10, "ending_before": made[0]})
    assert [c.id for c in after.auto_paging_iter()] == made[1:]


def test_ten_is_the_default(alone: FakeStripe) -> None:
    client = alone.client()
    for _ in range(11):
        customer(client)
    page = client.v1.customers.list()
    assert (len(page.data), page.has_more) == (10, True)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_limits_are_limited(client: stripe.StripeClient, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.list({"limit": limit})
    assert caught.value.param == "limit"


def test_cursors_must_name_something(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.list({"starting_after": "cus_x"})
    assert (caught.value.param, caught.value.code) == ("starting_after", "resource_missing")
    made = customer(client).id
    with pytest.raises(stripe.InvalidRequestError, match="both"):
        client.v1.customers.list({"starting_after": made, "ending_before": made})


def test_times_filter(alone: FakeStripe) -> None:
    client = alone.client()
    old = customer(client)
    alone.advance(1000)
    new = customer(client)
    cases: list[tuple[Any, list[str]]] = [
        (old.created, [old.id]),
        ({"gt": old.created}, [new.id]),
        ({"gte": old.created}, [new.id, old.id]),
        ({"lt": new.created}, [old.id]),
        ({"lte": new.created, "gt": old.created}, [new.id]),
        ({"gt": new.created}, []),
    ]
    for created, expected in cases:
        page = client.v1.customers.list({"created": created})
        assert [c.id for c in page.data] == expected


def test_charges_are_listed_by_their_intent_and_customer(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    intent = paid(client, customer=buyer.id)
    paid(client)
    by_intent = client.v1.charges.list({"payment_intent": intent.id})
    by_customer = client.v1.charges.list({"customer": buyer.id})
    assert [c.id for c in by_intent] == [c.id for c in by_customer] == [intent.latest_charge]
    intents = client.v1.payment_intents.list({"customer": buyer.id})
    assert [i.id for i in intents] == [intent.id]
