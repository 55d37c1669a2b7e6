"""The frames that Stripe.js puts into a shop's page: the Payment Element and the controller."""

from __future__ import annotations

from functools import cache

from babel import Locale
from flask import Blueprint, Response, render_template, request

from .headers import protect

bp = Blueprint("browser_elements", __name__, url_prefix="/_elements", template_folder="templates")

_NOT_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # groups and test codes of CLDR


@bp.get("/payment")
def payment() -> str:
    return render_template(
        "fakestripe/payment.html", countries=_countries(), chosen=_country_of_the_browser()
    )


@bp.get("/controller")
def controller() -> str:
    return render_template("fakestripe/controller.html")


@bp.after_request
def _headers(response: Response) -> Response:
    return protect(response, frame_ancestors=None)


@cache
def _countries() -> list[tuple[str, str]]:
    """ISO 3166 code and English name, by name."""
    names = Locale("en").territories
    countries = [
        (code, name)
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return sorted(countries, key=lambda pair: pair[1].casefold())


def _country_of_the_browser() -> str:
    """The territory of the preferred language (en-GB: GB); the United States otherwise."""
    for language, _quality in request.accept_languages:
        territory = language.replace("_", "-").rpartition("-")[2].upper()
        if "-" in language and territory in dict(_countries()):
            return territory
    return "US"
