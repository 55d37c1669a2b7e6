"""The Customer Portal's pages for pausing a subscription and for resuming it."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ..account import Work
from ..billing import portal_pause
from ..records import Record
from . import portal_views
from .portal_pages import done, own_subscription, protected, render, visited

bp = Blueprint(
    "browser_portal_pausing",
    __name__,
    url_prefix="/p/session/<id>/subscriptions/<subscription>",
    template_folder="templates",
)
bp.after_request(protected)


@bp.get("/pause")
def pause(id: str, subscription: str) -> BaseResponse:
    """Ask whether to pause."""
    return _asked(id, "pause", "portal_pause", subscription)


@bp.post("/pause")
def do_pause(id: str, subscription: str) -> BaseResponse:
    """Pause at once."""

    def action(work: Work, portal: Record) -> None:
        portal_pause.pause(work, portal, own_subscription(work, portal, subscription))

    return done(id, "pause", action, "Your subscription has been paused.", subscription)


@bp.get("/resume")
def resume(id: str, subscription: str) -> BaseResponse:
    """Ask whether to go on, and say whether that is charged."""
    return _asked(id, "resume", "portal_resume", subscription)


@bp.post("/resume")
def do_resume(id: str, subscription: str) -> BaseResponse:
    """Go on, charging for a new period where the paid one is over."""

    def action(work: Work, portal: Record) -> None:
        portal_pause.resume(work, portal, own_subscription(work, portal, subscription))

    return done(id, "resume", action, "Your subscription has been resumed.", subscription)


def _asked(id: str, page: str, template: str, subscription: str) -> BaseResponse:
    def view(work: Work, portal: Record) -> BaseResponse:
        record = own_subscription(work, portal, subscription)
        return render(
            work,
            portal,
            template,
            subscription=portal_views.subscription(work, record),
            charged=portal_views.period_end(record.body) <= work.now,
        )

    return visited(id, page, view, subscription)
