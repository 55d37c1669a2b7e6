"""One purchase's events and its success page in every order, doubled, and at the same moment: the
same rows in the end."""

import json
from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import checkouts
from storefront.db import db, transaction
from storefront.handlers import handle
from storefront.stripe_gateway import CheckoutSession
from tests.support import books
from tests.support.builders import Customer, Json, a_user, an_event, event_of
from tests.support.checkouts import (
    Visit,
    a_checkout,
    a_session,
    completed,
    expired,
    failed_late,
    paid_late,
)
from tests.support.races import at_once, raised
from tests.support.thoroughness import shared_out, usually

Step = Callable[[], object]


def comes(app: Flask, event: Json) -> Step:
    """A delivery of this event."""
    return partial(handle, event_of(app, event))


def page(visit: Visit, *, failed: bool = False, **facts: Any) -> Step:
    """The success page, when Stripe has answered with this."""

    def settles() -> None:
        with transaction() as session:
            said = CheckoutSession.from_dict(a_session(visit, **facts))
            checkouts.settle(session, said, failed=failed)

    return settles


def intent(visit: Visit) -> Json:
    shown = {
        "id": visit.intent_id,
        "object": "payment_intent",
        "amount": visit.amount,
        "amount_received": visit.amount,
        "currency": "usd",
        "customer": visit.customer.stripe_id,
        "metadata": {"checkout_id": visit.id},
        "status": "succeeded",
    }
    return an_event(shown, "payment_intent.succeeded")


def paid_at_once(app: Flask, visit: Visit) -> list[Step]:
    event = completed(visit)
    return [comes(app, event), comes(app, event), comes(app, intent(visit)), page(visit)]


def paid_by_a_slow_bank(app: Flask, visit: Visit) -> list[Step]:
    """The page comes twice: while the bank is at it, and when it has paid."""
    return [
        comes(app, completed(visit, "unpaid")),
        comes(app, paid_late(visit)),
        comes(app, intent(visit)),
        page(visit, payment_status="unpaid"),
        page(visit),
    ]


def refused_by_a_slow_bank(app: Flask, visit: Visit) -> list[Step]:
    return [
        comes(app, completed(visit, "unpaid")),
        comes(app, failed_late(visit)),
        page(visit, payment_status="unpaid"),
        page(visit, payment_status="unpaid", failed=True),
    ]


def refused_and_paid_after_all(app: Flask, visit: Visit) -> list[Step]:
    return [
        comes(app, completed(visit, "unpaid")),
        comes(app, failed_late(visit)),
        comes(app, paid_late(visit)),
        page(visit, payment_status="unpaid", failed=True),
    ]


def never_paid(app: Flask, visit: Visit) -> list[Step]:
    return [
        comes(app, expired(visit)),
        comes(app, expired(visit)),
        page(visit, status="open"),
        page(visit, status="expired"),
    ]


STORIES = [
    (paid_at_once, "succeeded", 3000),
    (paid_by_a_slow_bank, "succeeded", 3000),
    (refused_by_a_slow_bank, "canceled", 0),
    (refused_and_paid_after_all, "succeeded", 3000),
    (never_paid, None, 0),
]


def state(app: Flask, visit: Visit) -> Json:
    """What is left of a visit, without times and without the names that differ by order."""
    tail = visit.id.removeprefix("chk_")
    with app.app_context():
        found: Json = {
            "checkout": _rows("checkouts WHERE id = :it", visit.id),
            "payment": _rows("payments WHERE id = :it", visit.payment_id),
            "transfers": _rows("ledger_transfers WHERE payment_id = :it", visit.payment_id),
            "jobs": _rows("jobs WHERE key LIKE :it ORDER BY key", f"%{tail}%"),
        }
        db.session.remove()
    anonymous: Json = json.loads(json.dumps(found, default=str).replace(tail, "…"))
    return anonymous


ORDER_OF_THE_WALLET = ("wallet", "wallet_version", "balance_after", "target", "run_at")


def _rows(table: str, it: str) -> list[Json]:
    found = db.session.execute(text(f"SELECT * FROM {table}"), {"it": it}).mappings()
    rows = [books.timeless(dict(row)) for row in found]
    return [{k: v for k, v in row.items() if k not in ORDER_OF_THE_WALLET} for row in rows]


def wrong(end: Json, status: str | None, credits: int) -> list[str]:
    """Whatever is not as the story ends."""
    statuses = [it["status"] for it in end["payment"]]
    found = [] if statuses == ([status] if status else []) else [f"payments are {statuses}"]
    gained = sum(it["credits"] for it in end["transfers"])
    return found if gained == credits else [*found, f"{gained} credits"]


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "unlinked"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story[0].__name__)
def test_all_orders_end_alike(
    app: Flask, linked: bool, story: tuple[Callable[..., list[Step]], str | None, int]
) -> None:
    make, status, credits = story
    customer = a_user(app)
    reached: dict[str, tuple[int, ...]] = {}
    steps = len(make(app, Visit("", customer, "")))
    for order in shared_out(permutations(range(steps)), app):
        visit = a_checkout(app, customer, linked=linked)
        steps = make(app, visit)
        with app.app_context():
            for index in (*order, *(reversed(order) if len(order) < 5 else ())):
                steps[index]()
        reached.setdefault(json.dumps(state(app, visit)), order)
    assert len(reached) == 1, "\n".join(f"{order}: {end}" for end, order in reached.items())
    assert wrong(json.loads(next(iter(reached))), status, credits) == []
    books.assert_clean(app)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story[0].__name__)
def test_all_at_once_end_as_one_after_the_other(
    app: Flask, story: tuple[Callable[..., list[Step]], str | None, int]
) -> None:
    """On PostgreSQL they really run beside each other; BEGIN IMMEDIATE queues them on SQLite."""
    make, status, credits = story
    customer: Customer = a_user(app)
    for _ in range(usually(2 if books.is_sqlite(app) else 6, thorough=20)):
        visit = a_checkout(app, customer, linked=False)
        steps = make(app, visit)
        outcomes = at_once(app, steps * 2)
        assert raised(outcomes) == []
        assert "failed" not in [getattr(it, "state", None) for it in outcomes]
        assert wrong(state(app, visit), status, credits) == []
    books.assert_clean(app)
