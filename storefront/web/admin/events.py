"""Events: the list, one event with what it did and would do, and trying it again."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from storefront import inbox, redelivery
from storefront.admin import events as reading
from storefront.admin import filters
from storefront.admin import lists as listings
from storefront.admin.paging import Listing
from storefront.auditing import record
from storefront.db import db, transaction
from storefront.errors import BadInput, NotFound
from storefront.handlers import HANDLERS
from storefront.inbox import STATES, StripeEvent
from storefront.web import current, proof
from storefront.web.admin import lists
from storefront.web.admin.blueprint import actor, bp

HEADER = ("id", "type", "state", "received_at", "created", "object_id", "attempts", "last_error")


@bp.get("/events")
def events() -> ResponseReturnValue:
    return lists.show(
        "admin/events.html",
        _listed,
        csv_endpoint="admin.events_csv",
        states=STATES,
        types=sorted(HANDLERS),
    )


@bp.get("/events.csv")
def events_csv() -> Response:
    return lists.export("events", HEADER, _listed(), _row)


@bp.get("/events/<event_id>")
def event(event_id: str) -> str:
    """With `forecast`, also what it would do if it came now."""
    about = reading.about(db.session(), event_id)
    forecast = reading.forecast(db.session(), event_id) if "forecast" in request.args else None
    return render_template("admin/event.html", about=about, it=about.event, forecast=forecast)


@bp.post("/events/<event_id>/retry")
@proof.required
def retry_event(event_id: str) -> ResponseReturnValue:
    """Try a failed or parked event again, with all its attempts."""
    if _state(event_id) in ("handled", "ignored"):
        raise BadInput("Only an event that failed or is parked can be tried again. Replay it.")
    _write_down("event_retried", event_id)
    outcome = redelivery.retry(event_id, now=True, anew=True)
    return _told(event_id, outcome.error if outcome else None)


@bp.post("/events/<event_id>/replay")
@proof.required
def replay_event(event_id: str) -> ResponseReturnValue:
    """Run the event's effect once more: what is right stays as it is."""
    _write_down("event_replayed", event_id)
    outcome = redelivery.replay(current.gateway(), event_id)
    return _told(event_id, outcome.error)


def _write_down(action: str, event_id: str) -> None:
    """Before the deed: an event is handled in transactions of its own, which nobody shares."""
    before = {"state": _state(event_id)}
    with transaction() as session:
        record(session, actor(), action, event_id, before=before)


def _state(event_id: str) -> str:
    found = inbox.find(db.session(), event_id)
    if found is None:
        raise NotFound("There is no such event here.")
    return found.state


def _told(event_id: str, error: str | None) -> ResponseReturnValue:
    flash(f"It is {_state(event_id)}." + (f" This try failed: {error}" if error else ""))
    return redirect(url_for("admin.event", event_id=event_id), 303)


def _listed() -> Listing[StripeEvent]:
    sent = request.args
    conditions: list[ColumnElement[bool]] = []
    state = filters.choice("State", sent.get("state"), STATES)
    type = filters.text(sent.get("type"))
    if state:
        conditions.append(StripeEvent.state == state)
    if type:
        conditions.append(StripeEvent.type == type)
    object_id = filters.text(sent.get("object"))
    if object_id:
        conditions.append(StripeEvent.object_id == object_id)
    first, last = filters.since(sent.get("from")), filters.until(sent.get("to"))
    return listings.events(*conditions, *filters.between(StripeEvent.received_at, first, last))


def _row(it: StripeEvent) -> tuple[lists.Cell, ...]:
    return (
        it.id, it.type, it.state, it.received_at, it.created, it.object_id, it.attempts,
        it.last_error,
    )  # fmt: skip
