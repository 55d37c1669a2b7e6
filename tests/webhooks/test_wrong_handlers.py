"""R18: the checkers of R2, R3 and R4 are checked themselves, with handlers that must not pass."""

import pytest
from flask import Flask

from tests.support.builders import Json, Purchase, a_user, declined, moved, paid
from tests.support.checkers import THREADS, Handle, final_states, race_duplicates
from tests.support.crashes import crash_everywhere
from tests.webhooks import wrong_handlers

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize(
    "name", ["mark_afterwards", "claim_then_work", "balance_in_a_second_transaction"]
)
def test_crashes_catch(database_url: str, name: str) -> None:
    handler = f"tests.webhooks.wrong_handlers:{name}"
    report = crash_everywhere(database_url, "Paid", handler=handler)
    print(f"{name}: {report.harmful_points} of {len(report.points)} points do harm")
    assert 0 < report.harmful_points < len(report.points)


@on_postgresql
@pytest.mark.parametrize("name", ["check_then_insert", "without_a_unique_transfer_id"])
def test_crashes_alone_do_not_catch(database_url: str, name: str) -> None:
    """One transaction is crash-safe whatever else is wrong with it: that is why there are three
    checkers, and this is the proof that the crash checker does not cry wolf."""
    handler = f"tests.webhooks.wrong_handlers:{name}"
    assert crash_everywhere(database_url, "Paid", handler=handler).violations == []


@on_postgresql
def test_parallel_duplicates_catch_check_then_insert(app: Flask) -> None:
    """On PostgreSQL only: BEGIN IMMEDIATE lets one transaction after the other look."""
    wrong, _ = race_duplicates(app, wrong_handlers.check_then_insert, same_event, rounds=10)
    assert wrong


def test_parallel_events_catch_a_missing_unique_transfer_id(app: Flask) -> None:
    handle = wrong_handlers.without_a_unique_transfer_id
    wrong, _ = race_duplicates(app, handle, several_events, rounds=3)
    assert wrong


@pytest.mark.parametrize(
    "handle",
    [wrong_handlers.without_a_unique_transfer_id, wrong_handlers.last_word_stands],
    ids=lambda handle: handle.__name__,
)
def test_permutations_catch(app: Flask, handle: Handle) -> None:
    states = final_states(app, handle, a_user(app), success_and_failure, repeat=False)
    right = [state for state in states if '"gained": 1000' in state and '"succeeded"' in state]
    assert len(states) > 1 or not right


def same_event(purchase: Purchase) -> list[Json]:
    return [paid(purchase)] * THREADS


def several_events(purchase: Purchase) -> list[Json]:
    return [paid(purchase) for _ in range(THREADS)]


def success_and_failure(purchase: Purchase) -> list[Json]:
    return [moved(purchase, "processing"), declined(purchase), paid(purchase), paid(purchase)]
