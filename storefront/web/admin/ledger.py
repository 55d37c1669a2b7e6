"""The ledger: every transfer, and whether the books were found right."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from storefront import jobs, work
from storefront.admin import filters, finding
from storefront.admin import lists as listings
from storefront.admin.paging import Listing
from storefront.db import db, transaction, utcnow
from storefront.errors import BadInput
from storefront.ledger import MOVEMENTS, Transfer
from storefront.web.admin import lists
from storefront.web.admin.blueprint import bp

HEADER = (
    "id", "code", "wallet", "credits", "balance_after", "happened_at", "created_at", "payment_id",
    "note",
)  # fmt: skip

VERIFYING = "verify_ledger"
"""The entry of the schedule."""


@bp.get("/ledger")
def ledger() -> ResponseReturnValue:
    entries = work.schedule_state(db.session())
    return lists.show(
        "admin/ledger.html",
        _listed,
        csv_endpoint="admin.ledger_csv",
        movements=MOVEMENTS,
        verified=next(entry for entry in entries if entry.name == VERIFYING),
    )


@bp.post("/ledger/verification")
def verify_ledger() -> ResponseReturnValue:
    """Have a worker recompute all balances now; once a minute is enough."""
    key = f"{jobs.RUN_PREFIX}{VERIFYING}:asked:{utcnow():%Y-%m-%dT%H:%MZ}"
    with transaction() as session:
        jobs.promise(session, VERIFYING, {}, key=key)
    flash("A worker will verify the ledger. Look again in a moment.")
    return redirect(url_for("admin.ledger"), 303)


@bp.get("/ledger.csv")
def ledger_csv() -> Response:
    return lists.export("transfers", HEADER, _listed(), _row)


def _listed() -> Listing[Transfer]:
    sent = request.args
    conditions: list[ColumnElement[bool]] = []
    code = filters.choice("Movement", sent.get("code"), tuple(MOVEMENTS))
    if code:
        conditions.append(Transfer.code == code)
    first, last = filters.since(sent.get("from")), filters.until(sent.get("to"))
    conditions += filters.between(Transfer.created_at, first, last)
    return listings.transfers(_wallet_of(filters.text(sent.get("customer"))), *conditions)


def _wallet_of(typed: str | None) -> str | None:
    """Whose wallet: an address or an id. Raises BadInput."""
    if typed is None:
        return None
    user_id = finding.named(db.session(), typed)
    if user_id is None:
        raise BadInput(f"There is no customer {typed!r}. Write a whole address, or an id.")
    return user_id


def _row(it: Transfer) -> tuple[lists.Cell, ...]:
    return (
        it.id, it.code, it.wallet, it.signed_credits, it.balance_after, it.happened_at,
        it.created_at, it.payment_id, it.note,
    )  # fmt: skip
