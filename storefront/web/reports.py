"""Reports: the sample of a page that only some plans have. `@requires_feature` is all it takes."""

from flask import Blueprint, render_template

from storefront import reports
from storefront.db import db, utcnow
from storefront.web import current
from storefront.web.gates import requires_feature

bp = Blueprint("reports", __name__)


@bp.get("/reports")
@requires_feature("reports")
def index() -> str:
    """Credits in and out, month by month."""
    months = reports.by_month(db.session(), current.user().id, utcnow())
    return render_template("reports/index.html", months=months)
