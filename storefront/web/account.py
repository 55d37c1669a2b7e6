"""The customer's own pages: every movement of the balance, the balance for scripts, and the choice
about analytics."""

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from storefront import statements, users
from storefront.db import db
from storefront.errors import BadInput
from storefront.statements import Page
from storefront.web import current, pages
from storefront.web.credits import page_before
from storefront.web.security import safe_next

bp = Blueprint("account", __name__)


@bp.get("/account")
@login_required
def index() -> str:
    """The statement, newest first, a page at a time."""
    before = page_before()
    statement = statements.page(db.session(), current.user().id, before=before)
    if before is None:
        pages.know_balance(_newest_balance(statement))
    return render_template("account/index.html", statement=statement, first=before is None)


@bp.get("/balance")
@login_required
def balance() -> Response:
    """For scripts of the page, and the host application's."""
    pages.know_balance()
    return jsonify(balance=pages.balance(), needs_top_up=pages.needs_top_up())


@bp.post("/account/analytics")
@login_required
def analytics() -> ResponseReturnValue:
    """Allow analytics, or not. Back to where the question was asked."""
    allowed = {"yes": True, "no": False}.get(request.form.get("allowed", ""))
    if allowed is None:
        raise BadInput('Send "allowed" as "yes" or "no".')
    users.set_analytics_consent(current.user(), allowed)
    flash("Thank you: analytics are allowed." if allowed else "Analytics are not allowed.")
    back = request.form.get("back")
    return redirect(safe_next(back) if back else url_for("account.index"), 303)


def _newest_balance(statement: Page) -> int:
    """The newest line's running balance is the balance."""
    return statement.lines[0].balance_after if statement.lines else 0
