"""Granting and correcting credits: first what it would do, then, once per form, the deed."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import ledger, users
from storefront.admin import correcting, filters
from storefront.admin.correcting import Correction
from storefront.db import db
from storefront.errors import BadInput
from storefront.money import format_credits, format_signed
from storefront.web import proof
from storefront.web.admin.blueprint import actor, bp

DONE = "This was done already. To do it once more, begin again."


@bp.get("/customers/<user_id>/credits")
@proof.required
def correction(user_id: str) -> ResponseReturnValue:
    """The form; filled in, it shows what would come of it and asks to confirm."""
    wanted, preview, problem = None, None, None
    form_id = request.args.get("form_id") or correcting.new_form_id()
    if correcting.is_done(db.session(), form_id):
        problem, form_id = DONE, correcting.new_form_id()
    elif "credits" in request.args:
        try:
            wanted = _read(user_id, form_id, request.args)
            preview = correcting.preview(wanted)
        except BadInput as refusal:
            wanted, problem = None, refusal.detail
    page = render_template(
        "admin/correction.html",
        user=users.find(user_id),
        held=ledger.balance(db.session(), user_id),
        wanted=wanted,
        preview=preview,
        problem=problem,
        form=request.args,
        form_id=form_id,
    )
    return page, 400 if problem else 200


@bp.post("/customers/<user_id>/credits")
@proof.required
def correct(user_id: str) -> ResponseReturnValue:
    """Do what was confirmed. The same form again finds it done."""
    wanted = _read(user_id, request.form.get("form_id", ""), request.form)
    made = correcting.correct(actor(), wanted)
    moved, balance = format_signed(made.signed_credits), format_credits(made.balance_after)
    flash(f"Done: {moved} credits. The balance was {balance} then.")
    return redirect(url_for("admin.customer", user_id=user_id), 303)


def _read(user_id: str, form_id: str, sent: Mapping[str, str]) -> Correction:
    """Raises BadInput."""
    return correcting.read(
        form_id,
        user_id,
        sent.get("direction", ""),
        sent.get("credits", ""),
        sent.get("reason", ""),
        filters.until(sent.get("expires")),
    )
