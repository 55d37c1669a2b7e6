"""For machines: is the process alive, can it serve."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from storefront import prices
from storefront.db import db
from storefront.web.current import catalog, settings

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers; says nothing of the database."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 when the database answers and its migrations are at head; else 503 and what to run.
    `catalog` says what cannot be bought, and why: the shop is ready all the same."""
    try:
        current, wanted = migration_state()
    except SQLAlchemyError:
        return jsonify(status="unavailable", database="does not answer"), 503
    if current != wanted:
        return jsonify(status="unavailable", migrations=current, run="flask db upgrade"), 503
    unsold = prices.diagnose(db.session(), catalog(), settings().livemode)
    return jsonify(status="ok", database="ok", migrations=current, catalog=unsold), 200


def migration_state() -> tuple[str | None, str | None]:
    """The revision of the database, and the newest there is."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    connection = db.session.connection()
    current = MigrationContext.configure(connection).get_current_revision()
    return current, scripts.get_current_head()
