"""What the control interface is sent: read strictly, refused with a sentence that helps."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, request

from .account import current_account
from .errors import JSON
from .settings import LOOPBACK_HOSTS


class BadRequest(Exception):
    """The request makes no sense; the text says why."""

    status = 400


class NotFound(BadRequest):
    """There is no such thing."""

    status = 404


class Forbidden(BadRequest):
    """The request may have been caused by a page of another site."""

    status = 403


def refuse(error: Exception) -> tuple[Response, int]:
    """Answer one sentence saying what was wrong."""
    return jsonify({"error": str(error)}), getattr(error, "status", 400)


def guard() -> None:
    """Refuse other host names (DNS rebinding) and writes from other sites' pages."""
    public = urlsplit(current_account().url)
    host = urlsplit(f"//{request.host}").hostname or ""
    if host not in (*LOOPBACK_HOSTS, public.hostname):
        raise Forbidden("the control interface answers to its own host name only")
    origin = request.headers.get("Origin")
    own = (f"{request.scheme}://{request.host}", f"{public.scheme}://{public.netloc}")
    if origin is not None and origin not in own:
        raise Forbidden("requests from pages of other sites are refused")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("requests from pages of other sites are refused")


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


def integer(name: str, least: int, most: int, default: int | None = None) -> int:
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


def choice(name: str, options: tuple[str, ...], default: str | None = None) -> str:
    """Return one of the words that a field of the body may be; raise BadRequest otherwise."""
    value = given().get(name, default)
    if value not in options:
        raise BadRequest(f"{name} must be one of {', '.join(options)}")
    return str(value)


def flag(name: str) -> bool:
    """Return true or false of the body, false by default; raise BadRequest otherwise."""
    value = given().get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false")
    return value


def text(name: str, default: str | None = None) -> str | None:
    """Return a text of the body, or the default; raise BadRequest for anything else."""
    value: Any = given().get(name, default)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name} must be a text")
    return value
