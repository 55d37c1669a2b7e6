"""The other lists: events, transfers, jobs, the audit log."""

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import defer

from storefront.admin.paging import Listing
from storefront.auditing import AuditEntry
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import Transfer, wallet_id

JOB_STATES = ("open", "given up", "done")


def events(*conditions: ColumnElement[bool]) -> Listing[StripeEvent]:
    """Events without their payloads, the newest first."""
    query = select(StripeEvent).options(defer(StripeEvent.payload, raiseload=True))
    return Listing(query.where(*conditions), (StripeEvent.received_at, StripeEvent.id))


def transfers(user_id: str | None, *conditions: ColumnElement[bool]) -> Listing[Transfer]:
    """Transfers, the newest first, of all wallets or of one customer's."""
    query = select(Transfer).where(*conditions)
    if user_id is None:
        return Listing(query, (Transfer.created_at, Transfer.id))
    return Listing(query.where(Transfer.wallet == wallet_id(user_id)), (Transfer.wallet_version,))


def jobs(state: str, *conditions: ColumnElement[bool]) -> Listing[Job]:
    """Jobs: open ones by when they are due, those that were given up and done ones newest first."""
    query = select(Job).where(*conditions)
    if state == "open":
        waiting = and_(Job.done_at.is_(None), Job.given_up_at.is_(None))
        return Listing(query.where(waiting), (Job.run_at, Job.key), newest_first=False)
    if state == "given up":
        given_up = and_(Job.given_up_at.is_not(None), Job.done_at.is_(None))
        return Listing(query.where(given_up), (Job.given_up_at, Job.key))
    return Listing(query.where(Job.done_at.is_not(None)), (Job.done_at, Job.key))


def audit(*conditions: ColumnElement[bool]) -> Listing[AuditEntry]:
    """The audit log, the newest first."""
    return Listing(select(AuditEntry).where(*conditions), (AuditEntry.id,))
