"""`flask webhooks …`: what an operator sees and can do, and what is said of nonsense."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from storefront.db import utcnow
from storefront.inbox import MAXIMUM_ATTEMPTS
from tests.support import books
from tests.support.builders import (
    a_payment,
    an_event,
    declined,
    deliver,
    moved,
    paid,
)
from tests.support.retried import received_at
from tests.webhooks.test_failures import sabotaged


def webhooks(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["webhooks", *args])


def found(app: Flask, *args: str) -> list[dict[str, Any]]:
    result = webhooks(app, "list", "--json", *args)
    assert result.exit_code == 0, result.output
    listed: list[dict[str, Any]] = json.loads(result.stdout)
    return listed


@pytest.fixture
def three(app: Flask, client: FlaskClient) -> dict[str, Any]:
    """An event that was handled, one that failed, one that is parked."""
    purchases = {name: a_payment(app) for name in ("handled", "failed", "parked")}
    events = {name: paid(purchase) for name, purchase in purchases.items()}
    events["parked"]["data"]["object"]["amount_received"] = 1
    deliver(client, events["handled"])
    deliver(client, events["parked"])
    with sabotaged(app, "payments", "UPDATE"):
        deliver(client, events["failed"])
    return {"purchases": purchases, "events": events}


def test_list_shows_the_newest_first_with_what_became_of_each(
    app: Flask, three: dict[str, Any]
) -> None:
    lines = webhooks(app, "list").stdout.splitlines()
    order = [three["events"][name]["id"] for name in ("failed", "parked", "handled")]
    assert [line.split()[3] for line in lines] == order
    assert "failed, attempt 1, next try 2" in lines[0]
    assert "sabotaged table" in lines[0]
    assert "parked, attempt 1: " in lines[1]
    assert lines[2].endswith("  handled")


def test_list_narrows_down_by_state_type_and_age(
    app: Flask, client: FlaskClient, three: dict[str, Any]
) -> None:
    ids = {name: event["id"] for name, event in three["events"].items()}
    assert [it["id"] for it in found(app, "--state", "parked")] == [ids["parked"]]
    received_at(app, utcnow() - timedelta(hours=13))
    young = declined(a_payment(app))
    deliver(client, young)
    assert [it["id"] for it in found(app, "--type", "payment_intent.p*")] == [young["id"]]
    assert [it["id"] for it in found(app, "--type", young["type"])] == [young["id"]]
    assert {it["id"] for it in found(app, "--older-than", "12h")} == set(ids.values())
    assert found(app, "--type", "payment_intent") == []
    assert found(app, "--type", "%*") == [], "only the last * is special"


def test_list_is_bounded_and_says_that_there_is_more(app: Flask, three: dict[str, Any]) -> None:
    result = webhooks(app, "list", "--limit", "2")
    assert len(result.stdout.splitlines()) == 2
    assert "and more" in result.stderr
    assert "and more" not in webhooks(app, "list", "--limit", "3").stderr


def test_show_tells_all_of_an_event(app: Flask, three: dict[str, Any]) -> None:
    event = three["events"]["failed"]
    text = webhooks(app, "show", event["id"])
    assert text.exit_code == 0
    for expected in (
        "state: failed",
        "attempts: 1",
        "last_error: ",
        three["purchases"]["failed"].id,
    ):
        assert expected in text.stdout
    shown = json.loads(webhooks(app, "show", event["id"], "--json").stdout)
    assert shown["payload"] == event
    assert (shown["state"], shown["attempts"]) == ("failed", 1)
    assert shown["next_try_at"] > shown["received_at"]


def test_what_comes_from_outside_does_not_steer_the_terminal(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    strange = declined(purchase, customer="cus")
    strange["data"]["object"]["description"] = "red \x9b31m and \u202e backwards"
    body = json.dumps(strange, ensure_ascii=False).encode()
    assert deliver(client, body).status_code == 200
    output = webhooks(app, "show", strange["id"]).stdout
    assert "red  31m and   backwards" in output
    assert not {"\x9b", "\u202e", "\x1b"} & set(output)


def test_retry_gives_a_parked_event_all_its_attempts_again(app: Flask, client: FlaskClient) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    with sabotaged(app, "payments", "UPDATE"):
        for _ in range(MAXIMUM_ATTEMPTS):
            deliver(client, event)
        failing = webhooks(app, "retry", event["id"])
        assert (failing.exit_code, failing.stdout) == (1, "")
        assert f"{event['id']}: failed: " in failing.stderr
        row = books.read(app).events[event["id"]]
        assert (row["state"], row["attempts"]) == ("failed", 1)
    working = webhooks(app, "retry", event["id"])
    assert (working.exit_code, working.stdout) == (0, f"{event['id']}: handled\n")
    assert books.balance(app, purchase.customer.id) == 1000


def test_retry_all_tries_each_once_and_tells_how_many_failed(
    app: Flask, three: dict[str, Any]
) -> None:
    result = webhooks(app, "retry", "--all")
    assert result.exit_code == 1
    assert "2 events were tried again, 1 failed" in result.stdout
    states = books.read(app).event_states()
    ids = {name: event["id"] for name, event in three["events"].items()}
    assert {name: states[id] for name, id in ids.items()} == {
        "handled": "handled",
        "failed": "handled",
        "parked": "parked",
    }
    assert books.balance(app, three["purchases"]["failed"].customer.id) == 1000
    assert books.balance(app, three["purchases"]["parked"].customer.id) == 0


def test_retry_all_goes_through_many_pages(app: Flask, client: FlaskClient) -> None:
    events = [moved(a_payment(app), "processing") for _ in range(120)]
    with sabotaged(app, "payments", "UPDATE"):
        for event in events:
            deliver(client, event)
    received_at(app, utcnow())  # all at one moment
    result = webhooks(app, "retry", "--all")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        0,
        "120 events were tried again, 0 failed",
    )
    assert set(books.read(app).event_states().values()) == {"handled"}


def test_retry_of_what_has_nothing_to_retry_is_refused(app: Flask, three: dict[str, Any]) -> None:
    handled = three["events"]["handled"]["id"]
    result = webhooks(app, "retry", handled, "evt_unknown")
    assert result.exit_code == 1
    assert f"{handled} is handled: there is nothing to try again" in result.stderr
    assert "evt_unknown: no such event here" in result.stderr


def test_replay_of_a_parked_event_repairs_it_when_its_cause_is_gone(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    books.execute(app, "UPDATE payments SET amount_cents = 999")
    deliver(client, event)
    still = webhooks(app, "replay", event["id"])
    assert (still.exit_code, books.read(app).event_states()) == (1, {event["id"]: "parked"})
    books.execute(app, "UPDATE payments SET amount_cents = 1000")
    result = webhooks(app, "replay", event["id"])
    assert (result.exit_code, result.stdout) == (0, f"{event['id']}: handled\n")
    assert books.balance(app, purchase.customer.id) == 1000
    books.assert_clean(app)


def test_replay_tries_an_event_that_was_ignored_before_its_payment_was_known(
    app: Flask, client: FlaskClient
) -> None:
    """The kind of event that an older version ignored."""
    event = moved(a_payment(app), "processing")
    deliver(client, event)
    books.execute(app, "UPDATE stripe_events SET state = 'ignored'")
    assert webhooks(app, "replay", event["id"]).exit_code == 0
    assert books.read(app).event_states() == {event["id"]: "handled"}


def test_a_replay_that_fails_changes_nothing_of_a_right_event(
    app: Flask, client: FlaskClient
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    deliver(client, event)
    books.execute(app, "UPDATE payments SET amount_cents = 999")
    before = books.read(app)
    result = webhooks(app, "replay", event["id"])
    assert result.exit_code == 1
    assert f"{event['id']}: handled, and nothing was changed: " in result.stderr
    assert books.read(app) == before


def test_replay_of_an_event_that_nobody_knows_says_so(app: Flask) -> None:
    result = webhooks(app, "replay", "evt_unknown")  # and Stripe does not answer
    assert result.exit_code == 1
    assert "evt_unknown: it is unknown here, and Stripe says: " in result.stderr


def test_prune_refuses_to_forget_what_stripe_can_still_send(
    app: Flask, client: FlaskClient
) -> None:
    deliver(client, moved(a_payment(app), "processing"))
    refused = webhooks(app, "prune", "--older-than", "30d")
    assert refused.exit_code == 2
    assert "at least 31d" in refused.stderr
    assert "0 events deleted" in webhooks(app, "prune").stdout
    received_at(app, utcnow() - timedelta(days=32))
    pruned = webhooks(app, "prune", "--older-than", "31d", "--json")
    assert json.loads(pruned.stdout)["deleted"] == 1
    assert books.read(app).events == {}


def test_prune_goes_on_until_nothing_is_left(app: Flask, client: FlaskClient) -> None:
    for number in range(120):
        thing = {"id": f"prod_{number}", "object": "product"}
        deliver(client, an_event(thing, "product.created"))
    received_at(app, utcnow() - timedelta(days=91))
    assert "120 events deleted" in webhooks(app, "prune").stdout
    assert books.read(app).events == {}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["list", "--older-than", "soon"], "write such as 90d, 12h or 30m"),
        (["list", "--state", "lost"], "'lost' is not one of"),
        (["list", "--limit", "0"], "0 is not in the range"),
        (["show", "evt_unknown"], "no such event here; flask webhooks replay fetches it"),
        (["retry"], "Name events, or say --all"),
        (["retry", "--all", "evt_1"], "Name events, or say --all"),
        (["replay"], "Missing argument"),
        (["catch-up", "--since", "yesterday"], "write such as 2026-11-20T12:00 (UTC) or 3d"),
        (["catch-up", "--since", "31d"], "30 days only"),
        (["catch-up", "--since", "2999-01-01"], "in the future"),
        (["prune", "--older-than", "-1d"], "write such as 90d"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nonsense_is_refused_with_a_sentence(app: Flask, args: list[str], said: str) -> None:
    result = webhooks(app, *args)
    assert result.exit_code in (1, 2)
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_catch_up_without_an_answer_says_so(app: Flask) -> None:
    result = webhooks(app, "catch-up")
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
