"""Stripe.js stand-in: one script, joined from the readable parts in static/stripe.

Stripe serves named trains as /<train>/stripe.js and the frozen older line as /v3/.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort

from .headers import protect

TRAINS = ("acacia", "basil", "clover", "dahlia", "endive")
OLD_LINE = "3"

_FOLDER = Path(__file__).parent / "static" / "stripe"
_PARTS = ("errors", "frame", "element", "elements", "challenge", "payments", "stripe")

bp = Blueprint("browser_stripe_js", __name__)


@bp.get("/v3/")
@bp.get("/v3/stripe.js")
def old_line() -> Response:
    return _script(OLD_LINE)


@bp.get("/<train>/stripe.js")
def train(train: str) -> Response:
    if train not in TRAINS:
        abort(404)
    return _script(train)


def _script(version: str) -> Response:
    response = Response(_source(version), mimetype="text/javascript")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return protect(response)


@cache
def _source(version: str) -> str:
    """Join the parts inside one function, so that nothing but window.Stripe becomes global."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS]
    head = f'(() => {{\n"use strict";\nconst STRIPE_VERSION = "{version}";\n'
    return head + "\n".join(parts) + "})();\n"
