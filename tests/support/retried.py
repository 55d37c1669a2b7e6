"""Failed events and their time, for tests."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.orm import Session

from storefront import redelivery
from storefront.db import transaction
from storefront.inbox import State, StripeEvent
from storefront.stripe_gateway import Event

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def is_due(app: Flask, event_id: str) -> None:
    """As if the time until the next try had passed."""
    with app.app_context(), transaction() as session:
        session.get_one(StripeEvent, event_id, populate_existing=True).next_try_at = PAST


def received_at(app: Flask, moment: datetime) -> None:
    """As if every event so far had been received and settled at this moment."""
    with app.app_context(), transaction() as session:
        session.query(StripeEvent).filter(StripeEvent.handled_at.is_not(None)).update(
            {"received_at": moment, "handled_at": moment}
        )
        session.query(StripeEvent).update({"received_at": moment})


def retries_due(app: Flask) -> int:
    """What the worker does on schedule; how many events were tried."""
    with app.app_context():
        return redelivery.retry_due()


class Killed(BaseException):
    """As SIGKILL: nothing catches it, and what was open is rolled back."""


def deadly(session: Session, _event: Event) -> State:
    """A handler that takes its process with it."""
    session.rollback()
    raise Killed
