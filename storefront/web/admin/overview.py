"""The overview: the figures of the last month, and whether anything needs a person."""

from functools import partial

from flask import render_template

from storefront import catching_up, reconciling, work
from storefront.admin import overview as figures_of
from storefront.db import db, utcnow
from storefront.money import format_credits, format_money
from storefront.web import current
from storefront.web.admin import charts
from storefront.web.admin.blueprint import bp


@bp.get("")
def overview() -> str:
    session, now = db.session(), utcnow()
    figures = figures_of.figures(session, now, _usual_currency())
    money = partial(format_money, currency=figures.currency)
    return render_template(
        "admin/overview.html",
        figures=figures,
        charts=[
            charts.flow("Money in", figures.money_in, money),
            charts.flow("Refunds", figures.refunds, money),
            charts.stock("Credits outstanding", figures.outstanding, format_credits),
            charts.stock("Active subscriptions", figures.subscriptions, format_credits),
            charts.stock("Monthly recurring revenue", figures.mrr, money),
        ],
        health=figures_of.health(session, now),
        coverage=catching_up.coverage(session),
        compared=next(iter(reconciling.latest(session)), None),
        schedule=work.schedule_state(session),
    )


def _usual_currency() -> str:
    """That of the first pack: there is no other when nothing came in."""
    return current.catalog().packs[0].currency
