"""Catch-ups, deliveries and workers at the same time. PostgreSQL shows races that BEGIN IMMEDIATE
hides on SQLite, so that is where the rounds are."""

from functools import partial

from storefront import catching_up, handlers, inbox
from storefront.db import db
from tests.support import books
from tests.support.builders import event_of
from tests.support.caught_up import balances, catches_up, is_busy, sells, walks, wanted
from tests.support.races import at_once, raised
from tests.support.served import ServedShop
from tests.support.thoroughness import usually


def rounds(shop: ServedShop) -> int:
    return 1 if books.is_sqlite(shop.app) else usually(2, thorough=4)


def test_two_catch_ups_at_once_take_in_each_event_once(deaf: ServedShop) -> None:
    task = partial(catching_up.catch_up, deaf.app.extensions["stripe_gateway"])
    for _ in range(rounds(deaf)):
        buyers = sells(deaf, 2)
        is_busy(deaf.stripe, 110)
        before = len(books.read(deaf.app).events)
        deaf.stripe.advance(300)
        outcomes = at_once(deaf.app, [task, task])
        assert raised(outcomes) == []
        missing = sum(it.missing for it in _runs(deaf)[-2:])
        assert missing == len(books.read(deaf.app).events) - before
        assert balances(deaf, buyers) == [1000, 1000]
        assert {it["id"] for it in wanted(deaf.stripe)} == set(books.read(deaf.app).events)
    assert catches_up(deaf.app)["missing"] == 0
    books.assert_clean(deaf.app)


def test_webhooks_that_arrive_during_a_catch_up_have_their_effect_once(deaf: ServedShop) -> None:
    for _ in range(rounds(deaf)):
        buyers = sells(deaf, 3)
        late = [event_of(deaf.app, event) for event in wanted(deaf.stripe)]

        def deliver_all(events: list[object] = late[::-1]) -> list[str]:
            return [handlers.handle(event).state for event in events]  # type: ignore[arg-type]

        task = partial(catching_up.catch_up, deaf.app.extensions["stripe_gateway"])
        outcomes = at_once(deaf.app, [task, deliver_all, deliver_all])
        assert raised(outcomes) == []
        assert "failed" not in {state for it in outcomes if isinstance(it, list) for state in it}
        assert balances(deaf, buyers) == [1000] * 3
    books.assert_clean(deaf.app)


def test_a_slower_catch_up_never_moves_the_cursor_back(deaf: ServedShop) -> None:
    sells(deaf, 1)
    deaf.stripe.advance(300)
    sells(deaf, 1)
    deaf.stripe.advance(300)
    is_busy(deaf.stripe, 2)
    slow = partial(catching_up.catch_up, deaf.app.extensions["stripe_gateway"])
    catches_up(deaf.app)
    before = {walk["types"]: walk["cursor_created"] for walk in walks(deaf.app)}
    at_once(deaf.app, [slow] * 3)
    after = {walk["types"]: walk["cursor_created"] for walk in walks(deaf.app)}
    assert all(str(after[types]) >= str(created) for types, created in before.items() if created)


def test_an_event_recorded_by_the_catch_up_is_a_duplicate_for_its_delivery(
    deaf: ServedShop,
) -> None:
    (buyer,) = sells(deaf, 1)
    (event,) = deaf.stripe.events("payment_intent.succeeded")
    with deaf.app.app_context():
        assert inbox.begin(event_of(deaf.app, event))
        assert not inbox.begin(event_of(deaf.app, event)), "it is recorded once"
        assert handlers.handle(event_of(deaf.app, event)).state == "handled"
    assert deaf.balance(buyer) == 1000
    run = catches_up(deaf.app)
    assert run["known"] == 1
    assert deaf.balance(buyer) == 1000
    books.assert_clean(deaf.app)


def _runs(shop: ServedShop) -> list[catching_up.CatchUp]:
    with shop.app.app_context():
        return list(
            db.session.scalars(
                db.select(catching_up.CatchUp).order_by(catching_up.CatchUp.started_at)
            )
        )
