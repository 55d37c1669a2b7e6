"""What each comparison with Stripe found."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, utcnow


class Reconciliation(Base):
    """One comparison of what Stripe made, from `until` back to `since` (None: the beginning), which
    is as far as it got.

    `compared` objects of Stripe's; `foreign_objects` of them are of other sales, `moving`
    differences may be gone in a moment. `differences` were found, `repaired` so many; `remaining`
    are still there, `money_remaining` of them about money or credits. `counts` is JSON, how many
    of each kind were found; `examples` is JSON, the first of them; `fees` is JSON, what Stripe
    kept, by currency. `error` says why it ended early. One that was killed has no `finished_at`.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (Index("ix_reconciliations_started_at", "started_at"), STRICT)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    livemode: Mapped[bool] = mapped_column(Flag)
    since: Mapped[datetime | None] = mapped_column(Utc)
    until: Mapped[datetime] = mapped_column(Utc)
    started_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(Utc)
    compared: Mapped[int] = mapped_column(Whole, default=0)
    foreign_objects: Mapped[int] = mapped_column(Whole, default=0)
    moving: Mapped[int] = mapped_column(Whole, default=0)
    differences: Mapped[int] = mapped_column(Whole, default=0)
    repaired: Mapped[int] = mapped_column(Whole, default=0)
    remaining: Mapped[int] = mapped_column(Whole, default=0)
    money_remaining: Mapped[int] = mapped_column(Whole, default=0)
    counts: Mapped[str] = mapped_column(Text, default="{}")
    examples: Mapped[str] = mapped_column(Text, default="[]")
    fees: Mapped[str] = mapped_column(Text, default="{}")
    error: Mapped[str | None] = mapped_column(Text)
