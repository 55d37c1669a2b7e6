"""How well we know what Stripe knows: comparisons with its books, catch-ups with its events."""

from flask import render_template

from storefront import catching_up, reconciling
from storefront.db import db
from storefront.web.admin.blueprint import bp

REPORTS = 20


@bp.get("/reconcile")
def reconcile() -> str:
    session = db.session()
    runs = reconciling.latest(session, REPORTS)
    return render_template(
        "admin/reconcile.html",
        comparisons=[(run, reconciling.counts(run)) for run in runs],
        differences=reconciling.examples(runs[0]) if runs else [],
        coverage=catching_up.coverage(session),
        catch_ups=catching_up.newest(session, REPORTS),
    )
