"""The scripts and style sheets of fakestripe's own pages, under /_browser/."""

from __future__ import annotations

from flask import Blueprint, Response

from .headers import protect

bp = Blueprint("browser_static", __name__, static_folder="static", static_url_path="/_browser")


@bp.after_request
def _headers(response: Response) -> Response:
    return protect(response)
