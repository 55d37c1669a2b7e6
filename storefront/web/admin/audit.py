"""The audit log: what operators did. It is read here and changed nowhere."""

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from storefront.admin import filters
from storefront.admin import lists as listings
from storefront.admin.paging import Listing
from storefront.auditing import ACTIONS, AuditEntry
from storefront.web.admin import lists
from storefront.web.admin.blueprint import bp

HEADER = ("id", "at", "who", "address", "action", "subject", "before", "after", "reason")


@bp.get("/audit")
def audit() -> ResponseReturnValue:
    return lists.show("admin/audit.html", _listed, csv_endpoint="admin.audit_csv", actions=ACTIONS)


@bp.get("/audit.csv")
def audit_csv() -> Response:
    return lists.export("audit", HEADER, _listed(), _row)


def _listed() -> Listing[AuditEntry]:
    sent = request.args
    conditions: list[ColumnElement[bool]] = []
    action = filters.choice("Deed", sent.get("action"), tuple(ACTIONS))
    subject = filters.text(sent.get("subject"))
    if action:
        conditions.append(AuditEntry.action == action)
    if subject:
        conditions.append(AuditEntry.subject == subject)
    first, last = filters.since(sent.get("from")), filters.until(sent.get("to"))
    return listings.audit(*conditions, *filters.between(AuditEntry.at, first, last))


def _row(it: AuditEntry) -> tuple[lists.Cell, ...]:
    return (
        it.id, it.at, it.who, it.address, it.action, it.subject, it.before, it.after, it.reason,
    )  # fmt: skip
