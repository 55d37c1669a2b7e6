"""One event: what it says, what it did, and what it would do now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from storefront import handlers, inbox
from storefront.admin import finding, traces
from storefront.admin.customers import deeds_about
from storefront.auditing import AuditEntry
from storefront.errors import NotFound, StorefrontError
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import Transfer
from storefront.payments import Payment
from storefront.rehearsal import Write, rehearse
from storefront.stripe_gateway import parse_event
from storefront.subscriptions import PlanCredit

SHOWN = 50
_NAMED = ("customer", "payment_intent", "subscription", "invoice", "charge")


@dataclass(frozen=True)
class About:
    """An event, and what of ours there is because of it, or of what it is about."""

    event: StripeEvent
    payload: str
    user_id: str | None
    payments: list[Payment]
    transfers: list[Transfer]
    jobs: list[Job]
    deeds: list[AuditEntry]


@dataclass(frozen=True)
class Forecast:
    """What an event would do if it came now: its `state` then and the rows that would be written,
    or the `error` it would fail with. Jobs would be promised, and only they ask Stripe: what that
    would lead to is not known here."""

    state: str | None
    writes: list[Write]
    error: str | None = None

    @property
    def transfers(self) -> list[Mapping[str, Any]]:
        return [it.values for it in self.writes if it.table == Transfer.__tablename__]

    @property
    def jobs(self) -> list[Mapping[str, Any]]:
        return [it.values for it in self.writes if it.table == Job.__tablename__]

    @property
    def others(self) -> list[Write]:
        shown = (Transfer.__tablename__, Job.__tablename__)
        return [it for it in self.writes if it.table not in shown]


def about(session: Session, event_id: str) -> About:
    """Raises NotFound."""
    event = inbox.find(session, event_id)
    if event is None:
        raise NotFound("There is no such event here.")
    named = _named(event.payload)
    payments = _payments(session, named)
    user_id = finding.owner(session, event_id)
    keys = traces.keys_of_event(event, named) + traces.keys_of(payments)
    return About(
        event=event,
        payload=_pretty(event.payload),
        user_id=user_id,
        payments=payments,
        transfers=_transfers(session, event, user_id, payments),
        jobs=traces.jobs_with(session, keys),
        deeds=deeds_about(session, [event_id]),
    )


def forecast(session: Session, event_id: str) -> Forecast:
    """What the event's handler would do now, by letting it, and rolling all of it back. No handler
    calls Stripe. Raises NotFound."""
    row = inbox.find(session, event_id)
    if row is None:
        raise NotFound("There is no such event here.")
    try:
        event = parse_event(row.payload)
        effect = handlers.effect_of(event.type)
        state, writes = rehearse(lambda writing: effect(writing, event))
    except StorefrontError as refusal:
        return Forecast(None, [], refusal.detail)
    except Exception as error:  # noqa: BLE001  whatever the handler raises is the forecast
        return Forecast(None, [], f"{type(error).__name__}: {error}")
    return Forecast(state, writes)


def _payments(session: Session, ids: set[str]) -> list[Payment]:
    mine = or_(Payment.stripe_intent_id.in_(ids), Payment.checkout_session_id.in_(ids))
    return list(session.scalars(select(Payment).where(mine).limit(SHOWN))) if ids else []


def _transfers(
    session: Session, event: StripeEvent, user_id: str | None, payments: list[Payment]
) -> list[Transfer]:
    """Those that carry the object's id, or the id of what the object paid."""
    id = event.object_id or ""
    ids = [f"refund:{id}", f"refund:{id}:failed"]
    ids += [f"dispute:{id}:withdrawn", f"dispute:{id}:reinstated"]
    if event.type.startswith(("payment_intent.", "checkout.")):
        ids += [f"payment:{payment.id}" for payment in payments]
    mine = and_(PlanCredit.user_id == user_id, PlanCredit.invoice_id == id)
    for line in session.scalars(select(PlanCredit).where(mine).limit(SHOWN)):
        first = f"invoice:{line.id}"
        ids += [first, *(f"{first}:{number}" for number in range(2, line.done + 1))]
    return list(session.scalars(select(Transfer).where(Transfer.id.in_(ids))))


def _named(payload: str) -> set[str]:
    """Ids of Stripe's that the event's object has, or refers to."""
    try:
        found = json.loads(payload)["data"]["object"]
        ids = [found.get(name) for name in ("id", *_NAMED)]
    except (ValueError, LookupError, TypeError, AttributeError):
        return set()
    return {id for id in ids if isinstance(id, str)}


def _pretty(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
