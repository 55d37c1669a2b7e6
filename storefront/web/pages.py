"""What every page shows around its own matter: balance, banner, money and time as text."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask, g, request
from flask_login import current_user

from storefront import ledger
from storefront.config import Config
from storefront.db import db
from storefront.money import format_credits, format_money, format_signed
from storefront.web import current, icons, plan_cards, security


def register(app: Flask, settings: Config) -> None:
    """Give all templates the shop's settings, the reader's balance, and the filters."""
    app.jinja_env.globals.update(
        url_for=_remembering_url_for(app),
        shop=settings,
        icons=icons,
        balance=balance,
        needs_top_up=needs_top_up,
        external_url=security.external_url,
        is_customer=is_customer,
        asks_for_consent=asks_for_consent,
        costs_nothing=lambda: plan_cards.costs_nothing(current.catalog()),
    )
    app.jinja_env.filters.update(
        money=format_money,
        credits=format_credits,
        signed=format_signed,
        moment=format_moment,
        day=format_day,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _remembering_url_for(app: Flask) -> Callable[..., str]:
    """url_for() for templates: each page asks for the same dozen addresses, of which those that
    name nothing but the page are found out once."""

    @lru_cache(maxsize=256)
    def found(_mounted_at: str, endpoint: str) -> str:
        return app.url_for(endpoint)

    def url_for(endpoint: str, **values: Any) -> str:
        return app.url_for(endpoint, **values) if values else found(request.script_root, endpoint)

    return url_for


def is_customer() -> bool:
    """Is the reader signed in?"""
    return bool(current_user.is_authenticated)


def balance() -> int:
    """The signed-in customer's credits, asked for once per request."""
    if "balance" not in g:
        g.balance = ledger.balance(db.session(), current.user().id)
    return int(g.balance)


def know_balance(credits: int | None = None) -> None:
    """Spare the header its query: the view has just read the balance; or, without one, it moves
    nothing, and what was read with the reader still holds."""
    if credits is not None:
        g.balance = credits
    elif is_customer():
        g.balance = current.user().balance


def needs_top_up() -> bool:
    return balance() < current.settings().low_balance_credits


def asks_for_consent() -> bool:
    """Is there something to decide? Only where purchases would be reported, and only once."""
    if not is_customer() or current.settings().ga4_measurement_id is None:
        return False
    return current.user().analytics_consent is None


def format_moment(moment: datetime) -> str:
    """20 Nov 2026, 11:52 UTC."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def format_day(moment: datetime) -> str:
    """20 Nov 2026."""
    return f"{moment.astimezone(UTC):%-d %b %Y}"
