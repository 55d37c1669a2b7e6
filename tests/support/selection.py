"""Which of the tests a usual run leaves to a thorough one.

A test of what moves no credits, or of much that holds on either database alike, runs on one of the
two, spread by name. Of what browsers do on the stand-in's own pages each run draws a share by its
seed: what one run leaves out another tries. What is marked `always` is always there.
"""

from zlib import crc32

import pytest

from tests.support import databases

STORIES = "tests/stories/"

ONE_DATABASE = {
    "admin", "analytics", "catching_up", "clients", "doctor", "entitlements", "explaining", "mail",
    "observing", "portal", "prices", "provisioning", "security", "stories", "sweeping", "web",
}  # fmt: skip
"""Folders each of whose tests runs on one of the two databases. What happens to credits in them
has its own tests on both: ledger, payments, checkouts, subscriptions, webhooks, reversals."""

SPREAD_FILES = {
    "checkouts/test_orders.py", "inbox/test_commands.py", "inbox/test_retrying.py",
    "jobs/test_processes.py", "ledger/test_verify.py", "ledger/test_verify_lots.py",
    "ledger/test_verify_seals.py", "payments/test_when_stripe_fails.py",
    "reconciling/test_nightly.py", "reconciling/test_rules.py", "reconciling/test_streaming.py",
    "reversals/test_pages.py", "webhooks/test_objects.py", "webhooks/test_plans_with_fakestripe.py",
    "webhooks/test_refusals.py", "webhooks/test_with_fakestripe.py",
    "webhooks/test_wrong_handlers.py", "test_crashes.py",
}  # fmt: skip
"""Files of the other folders that are spread in the same way: refusals, commands and pages; and
what is long, and looked at in parts."""

OWN_PAGES, ONE_OF = "tests/fakestripe/browser/", 3
"""Of the tests below this path that open a browser a run draws one of so many."""


def left_out(config: pytest.Config, items: list[pytest.Item]) -> set[pytest.Item]:
    """Those of the tests that a usual run does without."""
    there = {item.nodeid for item in items}
    seed = config.getoption("randomly_seed", 0)
    return {
        item for item in items
        if _is_for_the_other_database(item, there) or _is_for_another_run(item, seed)
    }  # fmt: skip


def _is_for_another_run(item: pytest.Item, seed: object) -> bool:
    if OWN_PAGES not in item.nodeid or "chromium" not in item.fixturenames:
        return False
    drawn = crc32(f"{seed} {item.nodeid}".encode()) % ONE_OF == 0
    return not drawn and item.get_closest_marker("always") is None


def _is_for_the_other_database(item: pytest.Item, there: set[str]) -> bool:
    """Of the tests that are `there`: one that is written for one database alone has no other."""
    name = _database(item, "database_url") or _database(item, "shop")
    folder, file = item.path.parts[-2:]
    spread = ONE_DATABASE & set(item.path.parts) or {file, f"{folder}/{file}"} & SPREAD_FILES
    if name is None or not spread:
        return False
    test = crc32(item.nodeid.replace(name, "").encode())
    chosen = databases.NAMES[test % len(databases.NAMES)]
    return name != chosen and item.nodeid.replace(name, chosen) in there


def _database(item: pytest.Item, fixture: str) -> str | None:
    """Which database a test was given by this fixture."""
    given = getattr(item, "callspec", None)
    return given.params.get(fixture) if given else None
