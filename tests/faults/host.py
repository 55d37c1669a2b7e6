"""The shop as an application that charges for something, built as docs/building.md says: one
address more, where a customer spends credits. gunicorn serves `tests.faults.host:app`."""

from flask import Blueprint, Response, jsonify, request
from flask_login import login_required

from storefront import create_app, ledger
from storefront.db import transaction
from storefront.web import current

bp = Blueprint("spending", __name__)


@bp.post("/spend/<key>")
@login_required
def spend(key: str) -> Response:
    """Charge for a piece of work, once, however often it is asked for; 409 where there is too
    little."""
    credits = int(request.form["credits"])
    with transaction() as session:
        spent = ledger.spend(session, current.user().id, credits, id=f"work:{key}")
        return jsonify(spent=spent.credits, id=spent.id)


app = create_app()
app.register_blueprint(bp)
