"""Customers: the list and the search, and everything about one of them."""

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import explaining
from storefront.admin import customers as everything
from storefront.admin import filters, finding
from storefront.admin.paging import Listing
from storefront.db import db, utcnow
from storefront.errors import BadInput
from storefront.explaining import Explanation
from storefront.users import User
from storefront.web.admin import lists
from storefront.web.admin.blueprint import bp

SEARCHED = "q"


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """An id leads straight to its customer; anything else is the beginning of an address."""
    typed = request.args.get(SEARCHED, "").strip()
    unknown = None
    if _is_id(typed):
        user_id = finding.owner(db.session(), typed)
        if user_id is not None:
            return redirect(url_for("admin.customer", user_id=user_id), 303)
        unknown = f"Nobody here has to do with {typed}."
    return lists.show(
        "admin/customers.html", _listed, csv_endpoint="admin.customers_csv", unknown=unknown
    )


@bp.get("/customers.csv")
def customers_csv() -> Response:
    header = ("id", "email", "stripe_customer_id", "created_at", "operator")
    return lists.export("customers", header, _listed(), _row)


@bp.get("/customers/<user_id>")
def customer(user_id: str) -> ResponseReturnValue:
    """One page with everything; `at` asks for the balance at a moment, explained."""
    explanation, problem = None, None
    found = everything.read(db.session(), user_id)
    try:
        explanation = _explained(user_id)
    except BadInput as refusal:
        problem = refusal.detail
    page = render_template(
        "admin/customer.html", found=found, explanation=explanation, problem=problem
    )
    return page, 400 if problem else 200


def _is_id(typed: str) -> bool:
    """evt_1 and the like: an address has an @ or is the beginning of one."""
    return "_" in typed and "@" not in typed and typed.partition("_")[0] in _PREFIXES


_PREFIXES = {*finding.LOOKS, "evt"}


def _listed() -> Listing[User]:
    beginning = filters.text(request.args.get(SEARCHED))
    return finding.listed(db.session(), beginning)


def _explained(user_id: str) -> Explanation:
    at = filters.moment(request.args.get("at"), utcnow())
    return explaining.explain(db.session(), user_id, at)


def _row(user: User) -> tuple[lists.Cell, ...]:
    operator = "yes" if user.is_admin else ""
    return user.id, user.email, user.stripe_customer_id, user.created_at, operator
