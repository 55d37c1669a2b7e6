"""Waiting for the shop: Checkout holds the customer until its server has heard of the end."""

from __future__ import annotations

import time

from ..account import Account
from ..deliveries import undelivered_endpoints
from ..records import Condition, equals

PATIENCE_SECONDS = 10.0  # Stripe's documented wait on checkout.session.completed
POLL_SECONDS = 0.05


def wait_for_delivery(account: Account, type: str, object_id: str) -> bool:
    """Wait until every endpoint has answered 2xx to the newest such event about an object.

    Return False when they have not within ten seconds of real time; the customer goes on then.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _delivered(account, type, object_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _delivered(account: Account, type: str, object_id: str) -> bool:
    about = Condition("json_extract(body, '$.data.object.id') = ?", (object_id,))
    with account.store.reading() as tx:
        events = tx.records.all("event", equals("type", type), about)
        return not events or undelivered_endpoints(tx, events[0].id) == 0
