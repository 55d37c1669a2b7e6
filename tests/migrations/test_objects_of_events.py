"""Migration 0004 tells of each event that is there already what it is about."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support import databases

PAYLOADS = {
    "plain": json.dumps({"data": {"object": {"id": "pi_1"}}}, indent=2),
    "no id": json.dumps({"data": {"object": {"object": "balance"}}}),
    "no object": json.dumps({"data": None}),
    "number": json.dumps({"data": {"object": {"id": 7}}}),
    "object as id": json.dumps({"data": {"object": {"id": {"id": "pi_2"}}}}),
    "list": json.dumps([{"data": {"object": {"id": "pi_3"}}}]),
    "too long": json.dumps({"data": {"object": {"id": "x" * 10_000}}}),
    "not json": "{",
    "deep": '{"data": {"object": {"id": "pi_4", "of": ' + "[" * 5_000 + "]" * 5_000 + "}}}",
    "another": json.dumps({"data": {"object": {"id": "in_1", "customer": {"id": "cus_1"}}}}),
}
EVENT = (
    "INSERT INTO stripe_events (id, type, livemode, created, received_at, payload, state, attempts)"
    " VALUES (:id, 't', {false}, '2027-01-01 00:00:00.000000+00:00',"
    " '2027-01-01 00:00:00.000000+00:00', :payload, 'handled', 1)"
)


@pytest.fixture(params=databases.NAMES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with databases.new_empty(request.param, tmp_path) as url:
        yield url


def test_events_recorded_before_get_the_id_of_their_object(empty_url: str) -> None:
    databases.migrate(empty_url, "0003")
    with databases.connected(empty_url) as connection, connection.begin():
        false = "0" if connection.dialect.name == "sqlite" else "false"
        for id, payload in PAYLOADS.items():
            connection.execute(text(EVENT.format(false=false)), {"id": id, "payload": payload})
    databases.migrate(empty_url, "0004")
    with databases.connected(empty_url) as connection:
        rows = connection.execute(text("SELECT id, object_id FROM stripe_events"))
        found = {id: object_id for id, object_id in rows if object_id is not None}
    assert found.pop("deep", "pi_4") == "pi_4", "as deep as the database reads"
    assert found == {"plain": "pi_1", "another": "in_1"}
