"""Proof that who is signed in is there: the password was typed in this browser a moment ago. What
moves money by hand asks for it."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from storefront.db import utcnow
from storefront.web.security import SAFE_METHODS, safe_next

LASTS = timedelta(minutes=10)
KEY = "proved_at"

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def give() -> None:
    """The password was right just now."""
    session[KEY] = int(utcnow().timestamp())


def given() -> bool:
    """Whether that was no longer ago than LASTS."""
    proved_at = session.get(KEY)
    age = int(utcnow().timestamp()) - proved_at if isinstance(proved_at, int) else -1
    return 0 <= age < LASTS.total_seconds()


def required(view: View[P]) -> View[P]:
    """Ask for the password first, then come back: to the page itself, or to the one that its form
    names in `back`, and then nothing was done. Put it below the route."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if given():
            return view(*args, **kwargs)
        if request.method in SAFE_METHODS:
            back = request.full_path.rstrip("?")
        else:
            back = safe_next(request.form.get("back"))
            flash("Nothing was done yet: confirm that it is you, then press the button again.")
        return redirect(url_for("auth.confirm", next=back), 303)

    return checked
