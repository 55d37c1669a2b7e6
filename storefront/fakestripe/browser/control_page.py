"""The control page for people; everything on it comes from the JSON under /_control/."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from .headers import protect

bp = Blueprint("browser_control", __name__, template_folder="templates")


@bp.get("/")
def index() -> str:
    return render_template("fakestripe/control.html", origin=request.host_url.rstrip("/"))


@bp.after_request
def _headers(response: Response) -> Response:
    return protect(response)
