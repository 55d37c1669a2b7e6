"""The front page: what is for sale."""

from flask import Blueprint, render_template

from storefront.web import current, pages

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> str:
    """Packs and plans, for everybody; who is signed in sees the balance in the header."""
    pages.know_balance()
    catalog = current.catalog()
    return render_template("home/index.html", packs=catalog.packs, plans=catalog.plans)
