"""Long comparisons: pages and batches of rows, memory that does not grow, and a Stripe that asks to
slow down."""

import gc
import json
import sqlite3
import tracemalloc
from datetime import timedelta

import pytest
from flask import Flask

from storefront import reconciling
from storefront.db import db
from storefront.errors import StripeRateLimited
from storefront.reconciling import Asked, Tally
from storefront.stripe_gateway import Window
from storefront.web import current
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.support.caught_up import catches_up, sells
from tests.support.compared import kinds
from tests.support.served import ServedShop

FEW, MANY = 100, 1_000
MORE_BYTES = 500_000
"""What ten times as many payments may need more: their rows alone would take several times that."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_times_as_many_payments_need_no_more_memory(deaf: ServedShop) -> None:
    customer = a_user(deaf.app)
    many_payments(deaf, customer, FEW)
    few = peak(deaf.app, FEW)
    many_payments(deaf, customer, MANY, start=FEW)
    assert peak(deaf.app, MANY) < few + MORE_BYTES


def peak(app: Flask, payments: int) -> int:
    """The most memory that a comparison held at any time, in bytes; nothing differs in it."""
    pages: list[int] = []
    tally = Tally()

    def turns_a_page(so_far: Tally) -> None:
        pages.append(so_far.listed["payment intents"])
        gc.collect()  # what is held is meant, not what waits to be thrown away

    tracemalloc.start()
    try:
        found = kinds(app, tally=tally, tell=turns_a_page)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found, tally.listed["payment intents"]) == ([], payments)
    assert sorted(set(pages)) == list(range(100, payments + 1, 100)), "a hundred at a time"
    return most


def many_payments(shop: ServedShop, customer: Customer, total: int, start: int = 0) -> None:
    """Canceled payments on both sides, written straight into the two databases."""
    numbers = range(start, total)
    with sqlite3.connect(shop.stripe.database) as stripe:
        stripe.executemany(
            "INSERT INTO objects (id, type, created, deleted, body, private)"
            " VALUES (?, 'payment_intent', 1767225600, 0, ?, '{}')",
            [(f"pi_{number:06}", json.dumps(an_intent(customer, number))) for number in numbers],
        )
    stripe.close()
    books.execute(
        shop.app,
        "WITH RECURSIVE n(i) AS (SELECT :start UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :total)"
        " INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt,"
        " stripe_intent_id, amount_cents, currency, credits, status, amount_received,"
        " amount_refunded, amount_disputed, reversals, created_at, updated_at)"
        " SELECT printf('pay_%06d', i), :user, 'top_up', 'usd_10', 1, 1, printf('pi_%06d', i),"
        " 1000, 'usd', 1000, 'canceled', 0, 0, 0, 0, :now, :now FROM n",
        start=start,
        total=total,
        user=customer.id,
        now="2026-01-01 00:00:00.000000+00:00",
    )


def an_intent(customer: Customer, number: int) -> dict[str, object]:
    return {
        "id": f"pi_{number:06}",
        "object": "payment_intent",
        "amount": 1000,
        "amount_received": 0,
        "created": 1767225600,
        "currency": "usd",
        "customer": customer.stripe_id,
        "livemode": False,
        "metadata": {"payment_id": f"pay_{number:06}"},
        "status": "canceled",
    }


def test_it_waits_while_stripe_is_busy_and_then_gives_up(deaf: ServedShop) -> None:
    sells(deaf, 1)
    catches_up(deaf.app)
    waits: list[float] = []
    is_busy(deaf.stripe, times=2)
    assert kinds(deaf.app, wait=waits.append) == []
    assert waits == [1, 2], "longer each time"
    is_busy(deaf.stripe)
    waits.clear()
    asked = Asked(minimum_age=timedelta(0), wait=waits.append)
    with deaf.app.app_context(), pytest.raises(StripeRateLimited):
        reconciling.reconcile(current.gateway(), current.catalog(), False, [Window()], asked)
    assert waits == sorted(waits) and 60 < sum(waits) < 180
    with deaf.app.app_context():
        (run,) = reconciling.latest(db.session(), 1)
    assert run.finished_at is not None
    assert run.error == "The payment service is busy. Nothing was charged; try again in a moment."


def is_busy(stripe: FakeStripe, times: int | None = None) -> None:
    fault = {"kind": "rate_limit", "path": "/v1/refunds", "method": "GET"}
    stripe.control("faults", fault if times is None else fault | {"count": times})
