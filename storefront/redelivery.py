"""Events that come another way than by Stripe's webhook: tried again after a failure, taken from
Stripe's list, replayed. Each has its effect through the same handler, inbox and transaction as a
delivery, and never by the hot path, which serves deliveries."""

from storefront import handlers, inbox
from storefront.db import db, end_reading
from storefront.inbox import Outcome
from storefront.observing import about
from storefront.stripe_gateway import Event, StripeGateway, parse_event

BATCH = 100


def feed(event: Event) -> Outcome | None:
    """Take in an event from Stripe's list; None when it is known here. It is recorded before it is
    tried, so that one which kills its process is not met again at the same place of the list."""
    if not inbox.begin(event):
        return None
    return _received(event, "catch-up")


def retry(event_id: str, *, now: bool = False, anew: bool = False) -> Outcome | None:
    """Try a failed event again when it is due, or `now`; `anew`, as when a person asks, also one
    that is parked, with all its attempts again. None when there is nothing to try."""
    event = inbox.claim(event_id, now=now, anew=anew)
    if event is None:
        return None
    return _received(event, "retry")


def retry_due(limit: int = BATCH) -> int:
    """Try again what is due, each event by itself, at most `limit`; how many were tried."""
    ids = inbox.due(db.session(), limit)
    end_reading()
    return sum(retry(event_id) is not None for event_id in ids)


def replay(gateway: StripeGateway, event_id: str) -> Outcome:
    """Run an event's effect once more, whatever became of it before: what is right stays as it is.
    One that is unknown here is fetched from Stripe. Raises NotFound when Stripe does not know it
    either, and the gateway's other errors."""
    row = inbox.find(db.session(), event_id)
    event = parse_event(row.payload) if row else gateway.retrieve_event(event_id)
    end_reading()
    with about.scope(event_id=event.id):
        outcome = inbox.replay(event, handlers.effect_of(event.type))
        handlers.tell(event, outcome, "replay")
    return outcome


def _received(event: Event, way: str) -> Outcome:
    with about.scope(event_id=event.id):
        outcome = inbox.receive(event, handlers.effect_of(event.type), counted=True)
        handlers.tell(event, outcome, way)
    return outcome
