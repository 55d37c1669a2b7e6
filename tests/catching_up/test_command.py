"""`flask webhooks catch-up` and what it prints; replaying what only Stripe knows."""

import json

from tests.support import books
from tests.support.caught_up import balances, sells, wanted
from tests.support.served import ServedShop


def test_it_says_what_stripe_had_what_we_had_and_what_was_missing(deaf: ServedShop) -> None:
    buyers = sells(deaf, 2)
    total = len(wanted(deaf.stripe))
    runner = deaf.app.test_cli_runner()
    first = runner.invoke(args=["webhooks", "catch-up"])
    assert first.exit_code == 0, first.output
    counts = f"Stripe had {total} events, we had 0, {total} were missing, 0 have failed"
    told = first.stdout.splitlines()
    assert told[0] == counts
    assert told[1].startswith("complete from 2")
    second = runner.invoke(args=["webhooks", "catch-up", "--json"])
    assert second.exit_code == 0
    found = json.loads(second.stdout)
    assert (found["we_had"], found["missing"], found["complete"]) == (total, 0, True)
    assert found["covered_from"] < found["covered_until"]
    since = runner.invoke(args=["webhooks", "catch-up", "--since", "1h"])
    assert f"we had {total}, 0 were missing" in since.stdout
    assert balances(deaf, buyers) == [1000, 1000]


def test_it_exits_with_1_while_something_needs_a_person(deaf: ServedShop) -> None:
    sells(deaf, 1)
    books.execute(deaf.app, "UPDATE payments SET amount_cents = 999")
    runner = deaf.app.test_cli_runner()
    result = runner.invoke(args=["webhooks", "catch-up"])
    assert result.exit_code == 1
    assert "1 have failed" in result.stdout
    books.execute(deaf.app, "UPDATE payments SET amount_cents = 1000")
    assert runner.invoke(args=["webhooks", "retry", "--all"]).exit_code == 0
    assert runner.invoke(args=["webhooks", "catch-up"]).exit_code == 0


def test_it_tries_again_what_failed_although_it_is_not_due(deaf: ServedShop) -> None:
    (buyer,) = sells(deaf, 1)
    books.execute(deaf.app, "UPDATE users SET stripe_customer_id = 'cus_other'")
    runner = deaf.app.test_cli_runner()
    runner.invoke(args=["webhooks", "catch-up"])
    books.execute(deaf.app, "UPDATE users SET stripe_customer_id = :id", id=_customer(deaf))
    not_due = "state = 'failed', next_try_at = received_at, attempts = 1"
    books.execute(deaf.app, f"UPDATE stripe_events SET {not_due} WHERE state = 'parked'")
    result = runner.invoke(args=["webhooks", "catch-up"])
    assert result.exit_code == 0, result.output
    assert deaf.balance(buyer) == 1000


def test_replay_fetches_an_event_that_is_unknown_here(deaf: ServedShop) -> None:
    (buyer,) = sells(deaf, 1)
    (event,) = deaf.stripe.events("payment_intent.succeeded")
    runner = deaf.app.test_cli_runner()
    for _ in range(2):
        result = runner.invoke(args=["webhooks", "replay", event["id"]])
        assert (result.exit_code, result.stdout) == (0, f"{event['id']}: handled\n")
    assert deaf.balance(buyer) == 1000
    stored = json.loads(books.read(deaf.app).events[event["id"]]["payload"])
    assert stored["data"] == event["data"]
    unknown = runner.invoke(args=["webhooks", "replay", "evt_nobody_knows"])
    assert unknown.exit_code == 1
    assert "evt_nobody_knows: it is unknown here, and Stripe says: No such event" in unknown.stderr
    books.assert_clean(deaf.app)


def _customer(shop: ServedShop) -> str:
    (event,) = shop.stripe.events("payment_intent.succeeded")
    customer: str = event["data"]["object"]["customer"]
    return customer
