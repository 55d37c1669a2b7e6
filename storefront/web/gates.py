"""Pages and endpoints that only some plans have."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import login_required

from storefront.catalog import Catalog
from storefront.web import current
from storefront.web.problems import problem, wants_json

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def requires_feature(code: str) -> Callable[[View[P]], View[P]]:
    """Let a view be called only by customers whose plan or purchase has this feature, by what
    Stripe last said of them. Others get 403 that names the plans which have it; who is signed out
    signs in first. Put it below the route:

        @bp.get("/reports")
        @requires_feature("reports")
        def index(): ...
    """

    def gated(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if current.entitlement().has(code):
                return view(*args, **kwargs)
            return _refused(code)

        allowed: View[P] = login_required(checked)
        return allowed

    return gated


def _refused(code: str) -> ResponseReturnValue:
    catalog = current.catalog()
    named = plans_with(code, catalog)
    detail = f"{what(code, catalog)} is part of {named}." if named else NOT_SOLD
    if wants_json():
        return problem(403, "feature_missing", "Not part of your plan", detail)
    return render_template("errors/feature.html", detail=detail), 403


NOT_SOLD = "No plan that is on sale at the moment has this."


def plans_with(code: str, catalog: Catalog) -> str:
    """Such as Premium, or Standard Pack or Premium; empty when no plan has the feature."""
    names = [plan.name for plan in catalog.plans if plan.has_feature(code)]
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def what(code: str, catalog: Catalog) -> str:
    """The feature in the catalogue's words."""
    features = [each for plan in catalog.plans for each in plan.features]
    return next((each.text for each in features if each.code == code), "This page")
