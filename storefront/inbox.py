"""Stripe's events as received: recorded once, handled once, and never lost.

An event's row and its effect commit together. A failure is recorded in a transaction of its own
and answered with a 5xx, so that Stripe sends the event again; after MAXIMUM_ATTEMPTS, or at once
when repeating cannot help, the event is parked: visible, and left for a person.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, Index, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, is_sqlite, transaction, utcnow
from storefront.errors import Unprocessable
from storefront.stripe_gateway import Event

MAXIMUM_ATTEMPTS = 10
MAXIMUM_ERROR_LENGTH = 2_000

State = Literal["handled", "ignored", "failed", "parked"]
Effect = Callable[[Session, Event], State]
log = logging.getLogger(__name__)


class StripeEvent(Base):
    """One event of Stripe's, `payload` being the JSON text as received, `object_id` Stripe's id
    of what it is about (None where that has none)."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        CheckConstraint(
            "state IN ('handled', 'ignored', 'failed', 'parked')", name="state_is_known"
        ),
        Index("ix_stripe_events_state", "state", "received_at"),
        Index("ix_stripe_events_object", "object_id"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    api_version: Mapped[str | None] = mapped_column(Text)
    livemode: Mapped[bool] = mapped_column(Flag)
    created: Mapped[datetime] = mapped_column(Utc)
    received_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Whole, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    handled_at: Mapped[datetime | None] = mapped_column(Utc)
    object_id: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery. Only `failed` asks Stripe to send the event again."""

    state: State
    duplicate: bool = False


def receive(event: Event, effect: Effect) -> Outcome:
    """Record the event and let `effect` do its work, in one transaction; once per event id.

    A known event that failed before is tried again; any other known event has no effect.
    Never raises for a failing effect: the outcome says what happened.
    """
    try:
        with transaction() as session:
            return _handle_once(session, event, effect)
    except Unprocessable as error:
        return _record_failure(event, error.detail, state="parked")
    except Exception as error:
        log.exception("event %s (%s) failed", event.id, event.type)
        return _record_failure(event, f"{type(error).__name__}: {error}", state="failed")


def _handle_once(session: Session, event: Event, effect: Effect) -> Outcome:
    row = _claim(session, event)
    if row.state != "failed":
        return Outcome(_state(row), duplicate=True)
    row.state = effect(session, event)
    row.attempts += 1
    row.handled_at = utcnow()
    row.last_error = None
    return Outcome(_state(row))


def _claim(session: Session, event: Event) -> StripeEvent:
    """The event's row, locked; made if there is none, in state `failed` until it is handled."""
    _insert_or_ignore(session, event)
    row = session.scalar(
        select(StripeEvent)
        .where(StripeEvent.id == event.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert row is not None
    return row


def _record_failure(event: Event, error: str, *, state: State) -> Outcome:
    """Write down what went wrong. An event that was handled meanwhile stays handled."""
    with transaction() as session:
        row = _claim(session, event)
        if row.state != "failed":
            return Outcome(_state(row), duplicate=True)
        row.attempts += 1
        row.last_error = error[:MAXIMUM_ERROR_LENGTH].replace("\0", "")
        row.state = "parked" if row.attempts >= MAXIMUM_ATTEMPTS else state
        if row.state == "parked":
            log.error("event %s (%s) parked: %s", event.id, event.type, row.last_error)
        return Outcome(_state(row))


def _state(row: StripeEvent) -> State:
    return row.state  # type: ignore[return-value]  # the column's CHECK knows only these


def _insert_or_ignore(session: Session, event: Event) -> None:
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    row = insert(StripeEvent).values(
        id=event.id,
        type=event.type,
        api_version=event.api_version,
        livemode=event.livemode,
        created=event.created,
        received_at=utcnow(),
        payload=event.payload,
        state="failed",
        attempts=0,
        object_id=_object_id(event),
    )
    session.execute(row.on_conflict_do_nothing(index_elements=["id"]))


def _object_id(event: Event) -> str | None:
    """The object's id, where it can be one of Stripe's: at most 255 plain characters."""
    id = event.object.get("id")
    plain = isinstance(id, str) and len(id) <= 255 and id.isascii() and id.isprintable()
    return id if plain else None
