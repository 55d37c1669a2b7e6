"""Each event says which object it is about, whichever way it was recorded."""

import pytest
from flask import Flask

from tests.support import books
from tests.support.builders import Json, a_payment, an_event, an_intent, declined, deliver, paid


def object_of(app: Flask, event: Json) -> str | None:
    deliver(app.test_client(), event)
    found: str | None = books.read(app).events[event["id"]]["object_id"]
    return found


def test_the_short_way_the_long_way_and_a_parked_event_name_their_object(app: Flask) -> None:
    fits, slow, wrong = a_payment(app), a_payment(app, linked=False), a_payment(app)
    assert object_of(app, paid(fits)) == fits.intent_id
    assert object_of(app, paid(slow)) == slow.intent_id
    assert object_of(app, declined(slow)) == slow.intent_id
    assert object_of(app, an_event(an_intent(wrong, amount_received=1))) == wrong.intent_id


@pytest.mark.parametrize("id", [None, 7, "", "x" * 256, "a\0b", "\ud800", "né"])
def test_what_cannot_be_an_id_is_none(app: Flask, id: object) -> None:
    event = an_event({"id": id, "object": "balance"}, "balance.available")
    assert object_of(app, event) in (None, "")
