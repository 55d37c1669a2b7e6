"""A page that only says something: ended, expired, unknown."""

from __future__ import annotations

from flask import Response, make_response, render_template


def message(
    heading: str, texts: list[str], link: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Return the page; `link` has `url` and `text`."""
    page = render_template("fakestripe/message.html", heading=heading, texts=texts, link=link)
    return make_response(page, status)
