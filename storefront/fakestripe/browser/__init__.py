"""What a browser sees of fakestripe: Stripe.js, the Payment Element, the 3-D Secure challenge,
the hosted pages (Checkout, Customer Portal, invoices) and the control page. Everything here is
served by fakestripe's own origin."""

from __future__ import annotations

from flask import Flask

from . import (
    challenge,
    checkout,
    control_page,
    elements,
    invoice_pages,
    portal,
    portal_pausing,
    stripe_js,
)
from .static_files import bp as static_bp

BLUEPRINTS = (
    static_bp, stripe_js.bp, elements.bp, challenge.bp, control_page.bp, checkout.bp, portal.bp,
    portal_pausing.bp, invoice_pages.bp,
)  # fmt: skip


def register(app: Flask) -> None:
    """Add the pages and scripts to fakestripe's app."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
