"""An event arrives, for the first time or again: its record and its effect, once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.db import is_deadlock, transaction, utcnow
from storefront.errors import Unprocessable
from storefront.ids import new_id
from storefront.inbox.retrying import MAXIMUM_ATTEMPTS, fail, park
from storefront.inbox.tables import SETTLED, State, StripeEvent, insert_or_ignore
from storefront.stripe_gateway import Event

Effect = Callable[[Session, Event], State]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery. Only `failed` asks Stripe to send the event again. `error` says
    what went wrong in this very try."""

    state: State
    duplicate: bool = False
    error: str | None = None


def receive(event: Event, effect: Effect, *, counted: bool = False) -> Outcome:
    """Record the event and let `effect` do its work, in one transaction; once per event id.

    A known event that failed before is tried again; any other known event has no effect. So is one
    that another transaction stood in the way of (a deadlock), at once.
    `counted` says that this try is already among the row's attempts: claim() or begin() did it.
    Never raises for a failing effect: the outcome says what happened.
    """
    try:
        try:
            return _handle_once(event, effect, counted)
        except DBAPIError as error:
            if not is_deadlock(error):
                raise
            log.info("event %s once more: another transaction went first", event.id)
            return _handle_once(event, effect, counted)
    except Unprocessable as error:
        return _record_failure(event, error.detail, counted, hopeless=True)
    except Exception as error:
        log.exception("event %s (%s) failed", event.id, event.type)
        return _record_failure(event, f"{type(error).__name__}: {error}", counted)


def replay(event: Event, effect: Effect) -> Outcome:
    """Let `effect` do its work whatever became of the event before. It finds done what it did
    then, by the same keys; so the row of an event that was right stays as it is, even when the
    effect fails now: the outcome's `error` says why. To jobs that follow each event, whose keys
    end with its id, a replay is an event of its own."""
    before: State = "failed"
    again = replace(event, id=f"{event.id}:{new_id('replay')}")
    try:
        with transaction() as session:
            row = _locked(session, event)
            before = row.state
            state = effect(session, again)
            if before not in SETTLED or (before, state) == ("ignored", "handled"):
                _mark(row, state, counted=False)
            return Outcome(row.state)
    except Unprocessable as error:
        reason, hopeless = error.detail, True
    except Exception as error:
        log.exception("replay of event %s (%s) failed", event.id, event.type)
        reason, hopeless = f"{type(error).__name__}: {error}", False
    if before in SETTLED:
        return Outcome(before, error=reason)
    return _record_failure(event, reason, counted=False, hopeless=hopeless)


def _handle_once(event: Event, effect: Effect, counted: bool) -> Outcome:
    with transaction() as session:
        row = _locked(session, event)
        if row.state != "failed":
            return Outcome(row.state, duplicate=True)
        _mark(row, effect(session, event), counted)
        return Outcome(row.state)


def _mark(row: StripeEvent, state: State, counted: bool) -> None:
    row.state = state
    row.attempts += 0 if counted else 1
    row.handled_at = utcnow()
    row.last_error = row.next_try_at = None


def _locked(session: Session, event: Event) -> StripeEvent:
    """The event's row, locked; made if there is none, in state `failed` until it is handled."""
    insert_or_ignore(session, event)
    row = session.scalar(
        select(StripeEvent)
        .where(StripeEvent.id == event.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert row is not None
    return row


def _record_failure(
    event: Event, error: str, counted: bool = False, *, hopeless: bool = False
) -> Outcome:
    """Write down what went wrong. An event that was handled meanwhile stays handled."""
    with transaction() as session:
        row = _locked(session, event)
        if row.state in SETTLED:
            return Outcome(row.state, duplicate=True)
        row.attempts += 0 if counted else 1
        if hopeless or row.state == "parked" or row.attempts >= MAXIMUM_ATTEMPTS:
            park(row, error)
        else:
            fail(session, row, error)
        return Outcome(row.state, error=row.last_error)
