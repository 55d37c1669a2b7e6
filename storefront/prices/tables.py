"""What Stripe calls the things that we sell, remembered so that no page has to ask."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, utcnow


class StripePrice(Base):
    """A price at Stripe that belongs to a plan of the catalogue. `amount` in minor units.

    A price that is no longer sold stays, with `current` false: running subscriptions still have
    it, and must lead back to their plan."""

    __tablename__ = "stripe_prices"
    __table_args__ = STRICT

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    product_id: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    interval: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    current: Mapped[bool] = mapped_column(Flag)
    seen_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)


class StripeObject(Base):
    """An object at Stripe that we made for ourselves, found again by its `name`: a portal
    configuration by the hash of its content."""

    __tablename__ = "stripe_objects"
    __table_args__ = STRICT

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    stripe_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
