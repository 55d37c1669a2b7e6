"""What the control interface is sent: read strictly, refused with a sentence that helps."""

from __future__ import annotations

from flask import request

from .errors import JSON


class BadRequest(Exception):
    """The request makes no sense; the text says why."""

    status = 400


class NotFound(BadRequest):
    """There is no such thing."""

    status = 404


class Forbidden(BadRequest):
    """The request may have been caused by a page of another site."""

    status = 403


def given() -> JSON:
    """Return the JSON object in the body; an empty body is an empty object."""
    if not request.get_data():
        return {}
    # A page of another site cannot send this content type without asking first.
    if not request.is_json:
        raise BadRequest("the body must be JSON, with the content type application/json")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def limit() -> int:
    """Return the query's `limit`, 50 by default."""
    text = request.args.get("limit", "50")
    if not text.isdecimal() or not 1 <= int(text) <= 1_000:
        raise BadRequest("limit must be a whole number from 1 to 1000")
    return int(text)


def integer(name: str, least: int, most: int, default: int) -> int:
    """Return a whole number of the body, from least to most; raise BadRequest otherwise."""
    value = number(name, least, most, default)
    if value != int(value):
        raise BadRequest(f"{name} must be a whole number")
    return int(value)


def number(name: str, least: float, most: float, default: float | None = None) -> float:
    """Return a number of the body, from least to most; raise BadRequest otherwise."""
    value = given().get(name, default)
    if value is None:
        raise BadRequest(f"{name} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} must be a number")
    if not least <= value <= most:
        raise BadRequest(f"{name} must be from {least:g} to {most:g}")
    return value
