"""Where a customer's credits come from: what the balance is made of, now or at any moment, and each
movement with its cause and Stripe's names for it."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask_login import login_required

from storefront import explaining, statements
from storefront.db import MAX_WHOLE, db, utcnow
from storefront.errors import BadInput
from storefront.web import current

bp = Blueprint("credits", __name__)


@bp.get("/account/credits")
@login_required
def index() -> str:
    """What is left of what, on the first page; the movements that led to it, newest first, a page
    at a time."""
    at, before = _at(), page_before()
    user_id = current.user().id
    explanation = explaining.explain(db.session(), user_id, at)
    newest = explanation.version + 1
    statement = statements.page(db.session(), user_id, before=min(before or newest, newest))
    return render_template(
        "credits/index.html",
        explanation=explanation,
        statement=statement,
        causes=explaining.causes(db.session(), statement.lines),
        at=at,
        asked=request.args.get("at"),
        first=before is None,
    )


def page_before() -> int | None:
    """Where this page of movements ends. Raises BadInput: an address that was tampered with gets an
    answer, not an empty page."""
    given = request.args.get("before")
    if given is None:
        return None
    usable = given.isascii() and given.isdigit() and len(given) <= len(str(MAX_WHOLE))
    if not usable or not 0 < int(given) <= MAX_WHOLE:
        raise BadInput("This page of your account does not exist. Start again from the newest.")
    return int(given)


def _at() -> datetime | None:
    """The moment that is asked for, in UTC unless it says otherwise; None for now."""
    given = request.args.get("at")
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        at = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("This is no time. Write it like 2027-01-31T12:00, in UTC.") from None
    if at > utcnow():
        raise BadInput("This time has not come yet. Choose one in the past.")
    return at
