"""The door to the operators' pages: for everybody else they do not exist."""

from datetime import timedelta

from flask import Blueprint, abort, request
from flask_login import current_user

from storefront.auditing import Actor
from storefront.observing.hiding import without_secrets
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


@bp.app_template_filter("interval")
def in_words(interval: timedelta) -> str:
    """minute, 10 minutes, hour, day."""
    seconds = int(interval.total_seconds())
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, size = next((each for each in units if seconds % each[1] == 0), units[-1])
    return name if seconds == size else f"{seconds // size} {name}s"


bp.add_app_template_filter(without_secrets)


def actor() -> Actor:
    """Who asks, for the audit log."""
    user = current.user()
    return Actor(user.id, user.email, request.remote_addr or "")
