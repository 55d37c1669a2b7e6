"""How well we know what Stripe knows: the catch-ups with its list of events."""

from flask import render_template

from storefront import catching_up
from storefront.db import db
from storefront.web.admin.blueprint import bp

REPORTS = 20


@bp.get("/reconcile")
def reconcile() -> str:
    session = db.session()
    return render_template(
        "admin/reconcile.html",
        coverage=catching_up.coverage(session),
        catch_ups=catching_up.newest(session, REPORTS),
    )
