"""What a browser sees of fakestripe: Stripe.js, the Payment Element, the 3-D Secure challenge
and the control page. Everything here is served by fakestripe's own origin."""

from __future__ import annotations

from flask import Flask

from . import challenge, control_page, elements, stripe_js
from .static_files import bp as static_bp


def register(app: Flask) -> None:
    """Add the pages and scripts to fakestripe's app."""
    for blueprint in (static_bp, stripe_js.bp, elements.bp, challenge.bp, control_page.bp):
        app.register_blueprint(blueprint)
