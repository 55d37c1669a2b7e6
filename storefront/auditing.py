"""What operators did: who, when, what, to what, why, from where. Written in the same transaction as
the deed, and never changed: the database itself refuses it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, utcnow

ACTIONS = {
    "refund_ordered": "Ordered a refund",
    "refund_made": "Refund made at Stripe",
    "refund_refused": "Refund refused by Stripe",
    "credits_granted": "Granted credits",
    "credits_taken": "Took credits back",
    "event_retried": "Retried an event",
    "event_replayed": "Replayed an event",
    "job_retried": "Retried a job",
    "user_promoted": "Made an operator",
    "user_demoted": "Is no operator any more",
}
"""Everything that is written down, and what it is called."""

LONGEST_REASON = 500


class AuditEntry(Base):
    """One deed. `who` is the operator's address at that time, or `command line`; `before` and
    `after` are JSON objects of what it changed, as far as that is a matter of our own rows."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_subject", "subject", "id"),
        Index("ix_audit_entries_action", "action", "id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(Whole, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    user_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    who: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def says(self) -> str:
        return ACTIONS.get(self.action, self.action)

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """What changed: its name, before and after; None where there was or is nothing."""
        before, after = (json.loads(it) if it else {} for it in (self.before, self.after))
        return [(name, before.get(name), after.get(name)) for name in {**before, **after}]


@dataclass(frozen=True)
class Actor:
    """Who does something: an operator at an address, or whoever has the command line."""

    user_id: str | None
    who: str
    address: str


COMMAND_LINE = Actor(None, "command line", "")
WORKER = Actor(None, "worker", "")
"""It finishes what an operator began."""


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write a deed down, in the transaction that does it. `subject` is the id of what it is done
    to; `before` and `after` hold JSON values."""
    assert session.info.get("writing"), "a deed is written down where it is done"
    assert action in ACTIONS, f"undeclared action {action!r}"
    entry = AuditEntry(
        user_id=actor.user_id,
        who=actor.who,
        address=actor.address,
        action=action,
        subject=subject,
        before=_json(before),
        after=_json(after),
        reason=reason,
    )
    session.add(entry)
    session.flush()
    return entry


def _json(facts: Mapping[str, Any] | None) -> str | None:
    return None if facts is None else json.dumps(dict(facts), sort_keys=True)
