"""How far Stripe's list of events was walked, and what each catch-up found."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, utcnow


class EventWalk(Base):
    """One walk along Stripe's list, of the events of `types` (comma-separated, sorted): other types
    are another walk, which begins at the beginning.

    Everything on the list from `covered_from` up to the event `cursor` is recorded here;
    `covered_until` is when the end of the list was last reached. There is no cursor before the
    first walk, from the newest event to the oldest, has ended: until then everything from `anchor`
    down to `position` is recorded. `swept_at`: when undelivered events were last looked for.
    """

    __tablename__ = "event_walks"
    __table_args__ = STRICT

    types: Mapped[str] = mapped_column(Text, primary_key=True)
    cursor: Mapped[str | None] = mapped_column(Text)
    cursor_created: Mapped[datetime | None] = mapped_column(Utc)
    anchor: Mapped[str | None] = mapped_column(Text)
    anchor_created: Mapped[datetime | None] = mapped_column(Utc)
    position: Mapped[str | None] = mapped_column(Text)
    covered_from: Mapped[datetime | None] = mapped_column(Utc)
    covered_until: Mapped[datetime | None] = mapped_column(Utc)
    swept_at: Mapped[datetime | None] = mapped_column(Utc)


class CatchUp(Base):
    """One catch-up: of the `listed` events of Stripe's, we had `known`, and `missing` came from the
    list; `failed` of either have failed or are parked.

    `complete` means that the end of the list was reached. `note` says what may still be missing,
    `error` why it ended early. One that was killed has no `ended_at`.
    """

    __tablename__ = "catch_ups"
    __table_args__ = (Index("ix_catch_ups_started_at", "started_at"), STRICT)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    complete: Mapped[bool] = mapped_column(Flag, default=False)
    listed: Mapped[int] = mapped_column(Whole, default=0)
    known: Mapped[int] = mapped_column(Whole, default=0)
    missing: Mapped[int] = mapped_column(Whole, default=0)
    failed: Mapped[int] = mapped_column(Whole, default=0)
    note: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
