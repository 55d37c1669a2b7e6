"""Security headers of fakestripe's pages: each states what it loads and who may frame it."""

from __future__ import annotations

from flask import Response

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def protect(response: Response, **directives: str | None) -> Response:
    """Add the strict policy; ``form_action="'self'"`` replaces one directive, None removes it.

    Only pages that Stripe shows inside a shop (Elements, the challenge) remove frame-ancestors.
    """
    changed = {name.replace("_", "-"): value for name, value in directives.items()}
    policy = {**_POLICY, **changed}
    response.headers["Content-Security-Policy"] = "; ".join(
        f"{name} {sources}" for name, sources in policy.items() if sources is not None
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-cache")
    return response
