"""The door to the operators' pages: for everybody else they do not exist."""

from flask import Blueprint, abort, request
from flask_login import current_user

from storefront.auditing import Actor
from storefront.web import current

bp = Blueprint("admin", __name__, url_prefix="/admin")

PAGES = {
    "overview": "Overview",
    "customers": "Customers",
    "payments": "Payments",
    "events": "Events",
    "ledger": "Ledger",
    "jobs": "Jobs",
    "reconcile": "Reconcile",
    "audit": "Audit",
}
"""Endpoint -> name, in the order of the navigation."""


@bp.before_request
def only_operators() -> None:
    """Nobody else learns even that there is something here."""
    if not (current_user.is_authenticated and current.user().is_admin):
        abort(404)


@bp.context_processor
def navigation() -> dict[str, object]:
    return {"admin_pages": PAGES}


def actor() -> Actor:
    """Who asks, for the audit log."""
    user = current.user()
    return Actor(user.id, user.email, request.remote_addr or "")
