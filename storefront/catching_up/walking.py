"""Walking along Stripe's list: from the cursor to the newest event, or, without a cursor, from the
newest event to the oldest; and past those that Stripe could not deliver."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from storefront.catching_up import walks
from storefront.catching_up.visit import Visit
from storefront.catching_up.walks import Descent, Types
from storefront.db import transaction, utcnow
from storefront.stripe_gateway import Event, EventPage

SETTLING = timedelta(minutes=2)
"""The cursor stays behind events that are no older than this beside the newest one: another may
still appear on the list before them. They are read again next time."""

UNDELIVERED_PAGES = 10
"""The newest thousand: another endpoint of the account, which always fails, must not make this
endless. What is beyond comes with the walk."""


def forward(visit: Visit, types: Types, cursor: str) -> bool:
    """From the cursor to the newest event, page by page; False when patience ran out before. Raises
    NotFound when Stripe does not know the cursor."""
    begun, at = utcnow(), cursor
    settled_until: datetime | None = None
    while True:
        page = visit.gateway.list_events(types, newer_than=at)
        settled_until = settled_until or _newest_created(visit, types, page) - SETTLING
        events = page.events[::-1]
        tally = visit.take_in(events)
        with transaction() as session:
            walks.advance(session, types, _last_settled(events, settled_until))
            if not page.more:
                walks.reached_the_end(session, types, begun)
            visit.save(session, tally)
        if not page.more or page.newest_id is None:
            return True
        if visit.out_of_patience:
            return False
        at = page.newest_id


def backward(visit: Visit, types: Types, descent: Descent, since: datetime) -> bool:
    """From the newest event, or from where an earlier descent was left, to `since`; False when
    patience ran out before. Raises NotFound when Stripe does not know its position."""
    begun, resumed = utcnow(), descent.position is not None
    newest_created: datetime | None = None
    ended = False
    while not ended:
        page = visit.gateway.list_events(types, older_than=descent.position, created_from=since)
        tally = visit.take_in(page.events)
        newest_created = newest_created or (page.events[0].created if page.events else None)
        _descend(descent, page, newest_created)
        ended = not page.more or page.oldest_id is None
        with transaction() as session:
            if ended:
                covered_until = descent.anchor_created if resumed else begun
                walks.descended(session, types, descent, since, covered_until)
            elif descent.anchor is not None:
                walks.descending(session, types, descent)
            visit.save(session, tally)
        if not ended and visit.out_of_patience:
            return False
    if resumed and descent.anchor is not None:  # and what is newer than the descent
        return forward(visit, types, descent.anchor)
    return True


def back_to(visit: Visit, types: Types, since: datetime) -> None:
    """From the newest event to `since`, whatever the cursor says; nothing of it is remembered."""
    position: str | None = None
    while True:
        page = visit.gateway.list_events(types, older_than=position, created_from=since)
        tally = visit.take_in(page.events)
        with transaction() as session:
            visit.save(session, tally)
        if not page.more or page.oldest_id is None:
            return
        position = page.oldest_id


def sweep(visit: Visit, types: Types) -> None:
    """Take in what Stripe could not deliver, the newest pages first: what is known to be missing
    need not wait for the walk."""
    position: str | None = None
    for _ in range(UNDELIVERED_PAGES):
        page = visit.gateway.list_events(types, older_than=position, undelivered=True)
        tally = visit.take_in(page.events[::-1])
        visit.counted.update(event.id for event in page.events)
        with transaction() as session:
            visit.save(session, tally)
        if not page.more or page.oldest_id is None or visit.out_of_patience:
            break
        position = page.oldest_id
    with transaction() as session:
        walks.swept(session, types)


def _descend(descent: Descent, page: EventPage, newest_created: datetime | None) -> None:
    """Stand behind this page, and choose the anchor when the first settled event is on it."""
    descent.position = page.oldest_id or descent.position
    if descent.anchor is None and newest_created is not None:
        settled = (it for it in page.events if it.created <= newest_created - SETTLING)
        anchor = next(settled, None)
        if anchor is not None:
            descent.anchor, descent.anchor_created = anchor.id, anchor.created


def _newest_created(visit: Visit, types: Types, page: EventPage) -> datetime:
    """When the newest event on the whole list was created, by Stripe's clock."""
    if page.more:
        page = visit.gateway.list_events(types, limit=1)
    return page.events[0].created if page.events else utcnow()


def _last_settled(events: Sequence[Event], until: datetime) -> Event | None:
    """The last of these, oldest first, before the first that is not settled."""
    settled = list(takewhile(lambda event: event.created <= until, events))
    return settled[-1] if settled else None
