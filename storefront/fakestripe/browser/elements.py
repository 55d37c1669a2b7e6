"""The frames that Stripe.js puts into a shop's page: the Payment Element and the controller."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from .countries import chosen_country, countries
from .headers import protect

bp = Blueprint("browser_elements", __name__, url_prefix="/_elements", template_folder="templates")


@bp.get("/payment")
def payment() -> str:
    return render_template(
        "fakestripe/payment.html", countries=countries(), chosen=chosen_country()
    )


@bp.get("/controller")
def controller() -> str:
    return render_template("fakestripe/controller.html")


@bp.after_request
def _headers(response: Response) -> Response:
    return protect(response, frame_ancestors=None)
