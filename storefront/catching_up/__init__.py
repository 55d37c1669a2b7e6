"""Events that never came: Stripe's list of events is walked, and what we do not have is taken in.

Stripe lists an event for 30 days. Each group of types has a cursor, and everything up to it is
recorded here: it moves when all events of a page are committed, and never beyond events so young
that another could still appear before them. Deliveries, retries and any number of catch-ups may
run meanwhile: the inbox takes each event once.
"""

from storefront.catching_up.results import Coverage, coverage, latest, newest, prune
from storefront.catching_up.running import RETENTION, catch_up
from storefront.catching_up.tables import CatchUp, EventWalk

__all__ = [
    "RETENTION",
    "CatchUp",
    "Coverage",
    "EventWalk",
    "catch_up",
    "coverage",
    "latest",
    "newest",
    "prune",
]
