"""The page on which one buys credits."""

from flask import Blueprint, render_template, request
from flask_login import login_required

from storefront.catalog import Pack
from storefront.web import current, pages, security

DEFAULT_PACK_INDEX = 1
"""The second pack is chosen unless the address says otherwise: neither least nor most."""

bp = Blueprint("top_up", __name__)


@bp.get("/top-up")
@login_required
def index() -> str:
    """Amounts and the Payment Element. Stripe.js is loaded here and on no other page: Stripe
    would like to watch every page for fraud, but a shop whose other pages depend on no third
    party has less that can be attacked (PCI SAQ A)."""
    security.allow_stripe()
    pages.know_balance()
    packs = current.catalog().packs
    return render_template(
        "top_up/index.html", packs=packs, chosen=_chosen(packs), customer=current.user()
    )


def _chosen(packs: tuple[Pack, ...]) -> Pack:
    wanted = request.args.get("pack")
    default = packs[min(DEFAULT_PACK_INDEX, len(packs) - 1)]
    return next((pack for pack in packs if pack.code == wanted), default)
