"""What every page of the portal has in common: the visit, the refusals, the frame, the end."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ..account import Work
from ..account_info import NAME
from ..billing import portal_page
from ..errors import JSON, ApiError
from ..records import Record
from . import portal_flows
from .carried_out import carried_out
from .headers import protect
from .message import message

TYPE = "billing_portal.session"

View = Callable[[Work, Record], BaseResponse]
Action = Callable[[Work, Record], object]


def visited(id: str, page: str, view: View, subscription: str | None = None) -> BaseResponse:
    """Answer a GET: the page, the flow's own page instead, or why there is nothing to see."""

    def look(work: Work) -> BaseResponse:
        portal = work.tx.get(TYPE, id)
        if portal is None:
            return _unknown()
        if not portal_page.visit(work, portal):
            return _expired(portal)
        flow = portal_flows.current(portal)
        if flow is not None and not portal_flows.allows(portal, page, subscription):
            return redirect(portal_flows.path(portal, flow), 303)
        return view(work, portal)

    answer = carried_out(look)
    if isinstance(answer, ApiError):
        link = {"url": f"/p/session/{id}", "text": "Back"}
        return message("This is not possible", [answer.message], link)
    return answer


def done(
    id: str, page: str, action: Action, text: str, subscription: str | None = None
) -> BaseResponse:
    """Answer a form: do it and go on, or say why not."""
    url = _carry_out(id, page, action, text, subscription)
    if isinstance(url, ApiError):
        link = {"url": f"/p/session/{id}", "text": "Back"}
        return message("This is not possible", [url.message], link)
    return redirect(str(url), 303)


def done_json(
    id: str, page: str, action: Action, text: str, subscription: str | None = None
) -> Response:
    """Answer a form that may lead to the bank: {url}, {client_secret} or {error}."""
    answer = _carry_out(id, page, action, text, subscription)
    if isinstance(answer, ApiError):
        return jsonify(error={"message": answer.message})
    if isinstance(answer, dict):
        return jsonify(client_secret=answer["client_secret"])
    return jsonify(url=answer)


def render(work: Work, portal: Record, template: str, **shown: object) -> BaseResponse:
    """Return a page inside the portal's frame."""
    in_flow = portal_flows.current(portal) is not None
    page = render_template(
        f"fakestripe/{template}.html",
        styles=["portal"],
        scripts=["pay"],
        merchant=NAME,
        home=portal_flows.base(portal),
        in_flow=in_flow,
        return_url=portal.body["return_url"],
        notice=portal_flows.take_notice(work, portal),
        **shown,
    )
    return make_response(page)


def own_subscription(work: Work, portal: Record, id: str) -> Record:
    """Return a subscription of the session's customer, or raise ApiError."""
    record = work.tx.get("subscription", id)
    if record is None or record.body["customer"] != portal.body["customer"]:
        raise ApiError(404, "There is no such subscription.")
    if record.body["status"] in ("canceled", "incomplete_expired"):
        raise ApiError(400, "This subscription has ended.")
    return record


def features(work: Work, portal: Record) -> JSON:
    """What the session's configuration allows."""
    id = portal.body["configuration"]
    found: JSON = work.find("billing_portal.configuration", id, "configuration").body["features"]
    return found


def _carry_out(
    id: str, page: str, action: Action, text: str, subscription: str | None
) -> str | JSON | ApiError:
    """Return the address that comes next, the challenge to answer first, or the refusal."""

    def act(work: Work) -> str | JSON:
        portal = work.tx.get(TYPE, id)
        if portal is None or not portal_page.visit(work, portal):
            raise ApiError(400, "This portal session has expired.")
        if page and not portal_flows.allows(portal, page, subscription):
            raise ApiError(403, "This link is for something else.")
        answer = action(work, portal)
        if isinstance(answer, dict) and answer["status"] == "requires_action":
            return answer
        return portal_flows.finish(work, portal, text)

    return carried_out(act)


def _unknown() -> Response:
    texts = ["There is no such portal session, or the link is not complete."]
    return message("Something is missing", texts, status=404)


def _expired(portal: Record) -> Response:
    url = portal.body["return_url"]
    link = {"url": url, "text": f"Return to {NAME}"} if url else None
    texts = ["Links to the portal are valid for a short time only.", "Open a new one in the shop."]
    return message("This link has expired", texts, link)


def form_values(*names: str) -> JSON:
    """The named fields of the form that was sent, stripped; an empty one is None."""
    return {name: request.form[name].strip() or None for name in names if name in request.form}


def protected(response: Response) -> Response:
    """Add the headers of the portal's pages."""
    response.headers["Cache-Control"] = "no-store"
    # Chromium applies form-action to the redirect after a form as well: back to the shop.
    return protect(response, frame_src="'self'", form_action="'self' http: https:")
