"""The table of events, and how an event gets into it."""

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, insert, utcnow
from storefront.stripe_gateway import Event

State = Literal["handled", "ignored", "failed", "parked"]
STATES: tuple[State, ...] = get_args(State)
SETTLED: tuple[State, ...] = ("handled", "ignored")
UNSETTLED: tuple[State, ...] = ("failed", "parked")


class StripeEvent(Base):
    """One event of Stripe's, `payload` being the JSON text as received, `object_id` Stripe's id
    of what it is about (None where that has none). `attempts` counts tries, `next_try_at` says
    when the worker tries a failed event again."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        CheckConstraint(
            "state IN ('handled', 'ignored', 'failed', 'parked')", name="state_is_known"
        ),
        Index("ix_stripe_events_state", "state", "received_at"),
        Index("ix_stripe_events_object", "object_id"),
        Index("ix_stripe_events_received_at", "received_at", "id"),  # the lists of operators
        Index("ix_stripe_events_type", "type", "received_at", "id"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    api_version: Mapped[str | None] = mapped_column(Text)
    livemode: Mapped[bool] = mapped_column(Flag)
    created: Mapped[datetime] = mapped_column(Utc)
    received_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Whole, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    handled_at: Mapped[datetime | None] = mapped_column(Utc)
    object_id: Mapped[str | None] = mapped_column(Text)
    next_try_at: Mapped[datetime | None] = mapped_column(Utc)


def insert_or_ignore(session: Session, event: Event, **columns: Any) -> bool:
    """Record an event in state `failed` until it is handled; False when its id is known."""
    values: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "created": event.created,
        "received_at": utcnow(),
        "payload": event.payload,
        "state": "failed",
        "attempts": 0,
        "object_id": _object_id(event),
    }
    row = insert(session, StripeEvent).values(values | columns)
    made = row.on_conflict_do_nothing(index_elements=["id"]).returning(StripeEvent.id)
    return session.scalar(made) is not None


def _object_id(event: Event) -> str | None:
    """The object's id, where it can be one of Stripe's: at most 255 plain characters."""
    id = event.object.get("id")
    plain = isinstance(id, str) and len(id) <= 255 and id.isascii() and id.isprintable()
    return id if plain else None
