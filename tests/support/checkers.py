"""The questions that every event handler must stand: parallel duplicates (R3), every order (R4).
Crashes at every statement (R2) are in crashes.py.

A checker is given a handler and tells what went wrong; it does not care whose handler it is. That
it finds what there is to find is proved with handlers that are wrong on purpose.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import Any

from flask import Flask

from storefront import ledger
from storefront.db import db
from storefront.stripe_gateway import Event
from tests.support import books
from tests.support.builders import Customer, Json, Purchase, a_payment, event_of
from tests.support.races import at_once, raised
from tests.support.thoroughness import shared_out

Handle = Callable[[Event], object]
THREADS = 8


def violations(app: Flask, purchase: Purchase, expected_credits: int) -> list[str]:
    """Whatever is not as it must be after `purchase` was credited, or not, exactly once."""
    after = books.read(app)
    mine = after.transfers_of(purchase.customer.id)
    found = []
    if after.balance(purchase.customer.id) != expected_credits:
        found.append(f"balance {after.balance(purchase.customer.id)}, not {expected_credits}")
    if sum(row["credits"] for row in mine) != expected_credits:
        found.append(f"{len(mine)} transfers of {[row['credits'] for row in mine]}")
    if (after.payments[purchase.id]["status"] == "succeeded") != (expected_credits > 0):
        found.append(f"payment is {after.payments[purchase.id]['status']}")
    with app.app_context():
        wallet = ledger.wallet_id(purchase.customer.id)
        wrong = [it.finding for it in ledger.verify(db.session()) if it.account == wallet]
    return found + wrong


def race(
    app: Flask, purchase: Purchase, tasks: Sequence[Callable[[], object]], again: Sequence[Event],
    handle: Handle,
) -> tuple[list[str], list[Exception]]:  # fmt: skip
    """Run tasks at once, then deliver again what Stripe would; violations, and what was raised
    or ended as a failure, so that Stripe would have been answered with a 5xx."""
    outcomes = at_once(app, tasks)
    refused = [RuntimeError(str(it)) for it in outcomes if getattr(it, "state", "") == "failed"]
    with app.app_context():
        for event in again:
            handle(event)
    return violations(app, purchase, purchase.credits), [*raised(outcomes), *refused]


def race_duplicates(
    app: Flask, handle: Handle, make_events: Callable[[Purchase], Sequence[Json]], rounds: int
) -> tuple[list[str], list[Exception]]:
    """In each round a new payment, whose events all come at the same moment."""
    found: list[str] = []
    errors: list[Exception] = []
    for round in range(rounds):
        purchase = a_payment(app)
        events = [event_of(app, event) for event in make_events(purchase)]
        tasks = [partial(handle, event) for event in events]
        wrong, broken = race(app, purchase, tasks, events, handle)
        found += [f"round {round}: {it}" for it in wrong]
        errors += broken
    return found, errors


def final_states(
    app: Flask,
    handle: Handle,
    customer: Customer,
    make_events: Callable[[Purchase], Sequence[Json]],
    *,
    linked: bool = True,
    repeat: bool = True,
) -> dict[str, list[tuple[int, ...]]]:
    """Deliver one payment's events in every order (this database's share of them), a payment of its
    own for each, and then (with `repeat`) all of them once more; the final states that were
    reached, and by which orders."""
    reached: dict[str, list[tuple[int, ...]]] = {}
    for order, purchase, events in _all_orders(app, customer, make_events, linked):
        with app.app_context():
            before = _credits(customer)
            for index in (*order, *(reversed(order) if repeat else ())):
                handle(events[index])
            state = json.dumps(_state(purchase, before), sort_keys=True, default=str)
        reached.setdefault(state, []).append(order)
    return reached


def _all_orders(
    app: Flask,
    customer: Customer,
    make_events: Callable[[Purchase], Sequence[Json]],
    linked: bool,
) -> Iterator[tuple[tuple[int, ...], Purchase, list[Event]]]:
    count = len(make_events(Purchase("", customer, "", 0, "", 0)))
    for order in shared_out(permutations(range(count)), app):
        purchase = a_payment(app, customer, linked=linked)
        yield order, purchase, [event_of(app, event) for event in make_events(purchase)]


def _credits(customer: Customer) -> int:
    return ledger.balance(db.session(), customer.id)


def _state(purchase: Purchase, balance_before: int) -> dict[str, Any]:
    """What is left of a payment, without times and without the names that differ by order."""
    payment = _rows("payments", "id", purchase.id)[0]
    transfers = _rows("ledger_transfers", "payment_id", purchase.id)
    return {
        "payment": {name: payment[name] for name in payment if not _named(name)},
        "linked": payment["stripe_intent_id"] == purchase.intent_id,
        "gained": _credits(purchase.customer) - balance_before,
        "transfers": [(row["code"], row["source"], row["credits"]) for row in transfers],
        "transfer ids": [row["id"] == f"payment:{purchase.id}" for row in transfers],
    }


def _named(column: str) -> bool:
    return column in (*books.TIMES, "id", "stripe_intent_id")


def _rows(table: str, column: str, value: str) -> list[books.Row]:
    query = db.text(f"SELECT * FROM {table} WHERE {column} = :value")
    return [dict(row) for row in db.session.execute(query, {"value": value}).mappings()]
