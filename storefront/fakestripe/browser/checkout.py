"""The hosted Checkout page: what is bought, promotion codes, the card, and the way back.

The address holds the session's id, which cannot be guessed: it is the right to see and pay it.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ..account import Work, current_account
from ..account_info import NAME
from ..billing import checkout_page
from ..errors import JSON, ApiError
from ..records import Record
from .card_input import method_data, sent
from .carried_out import carried_out
from .countries import chosen_country, countries
from .delivered import wait_for_delivery
from .headers import protect
from .message import message
from .money import day, every, money

bp = Blueprint("browser_checkout", __name__, url_prefix="/c/pay", template_folder="templates")

TYPE = "checkout.session"


@bp.get("/<id>")
def show(id: str) -> BaseResponse:
    """Show the session: to be paid, or how it ended."""
    return _page(id)


@bp.post("/<id>/promotion-code")
def add_code(id: str) -> BaseResponse:
    """Apply a promotion code; a refused one is shown again with the reason."""
    code = request.form.get("code", "").strip()
    refusal = _changed(id, lambda work, session: _apply(work, session, code))
    if refusal is None:
        return redirect(_path(id), 303)
    return _page(id, code=code, code_error=refusal)


@bp.post("/<id>/promotion-code/remove")
def remove_code(id: str) -> BaseResponse:
    """Take the promotion code off again."""
    refusal = _changed(id, checkout_page.remove_promotion_code)
    return redirect(_path(id), 303) if refusal is None else _page(id, notice=refusal)


@bp.post("/<id>/quantity")
def set_quantity(id: str) -> BaseResponse:
    """Change how many of an adjustable line are bought."""
    line, quantity = request.form.get("line", ""), request.form.get("quantity", type=int)
    if quantity is None:
        return _page(id, notice="The quantity must be a whole number.")
    refusal = _changed(
        id, lambda work, session: checkout_page.set_quantity(work, session, line, quantity)
    )
    return redirect(_path(id), 303) if refusal is None else _page(id, notice=refusal)


@bp.post("/<id>/confirm")
def confirm(id: str) -> Response:
    """Pay, subscribe or start the trial with what the form holds (JSON)."""
    given = sent()

    def action(work: Work, session: Record) -> JSON:
        details: JSON = {"email": given.get("email") or None}
        if given.get("card"):
            details["payment_method_data"] = method_data(given["card"], details["email"])
        return checkout_page.confirm(work, session, details)

    return _attempt(id, action)


@bp.post("/<id>/resume")
def resume(id: str) -> Response:
    """Go on after the bank's challenge was answered."""
    return _attempt(id, checkout_page.resume)


@bp.after_request
def _headers(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return protect(response, frame_src="'self'", form_action="'self'")


def _page(id: str, **said: str | None) -> BaseResponse:
    with current_account().store.writing() as tx:
        work = Work(current_account(), tx)
        session = tx.get(TYPE, id)
        if session is None:
            return _unknown()
        if session.body["status"] != "open":
            return _ended(session.body)
        summary = checkout_page.summary(work, session)
        body = session.shown()
    return make_response(
        render_template("fakestripe/checkout.html", **_view(body, summary), **said)
    )


def _view(session: JSON, summary: JSON) -> JSON:
    def in_currency(amount: int) -> str:
        return money(amount, summary["currency"] or "usd")

    return {
        "styles": ["checkout"],
        "scripts": ["pay", "summary"],
        "merchant": NAME,
        "session": session,
        "summary": summary,
        "here": _path(session["id"]),
        "money": in_currency,
        "billed": _billed,
        "headline": _headline(session, summary, in_currency),
        "button": _button(session, summary, in_currency),
        "terms": _terms(session, summary),
        "countries": countries(),
        "chosen": chosen_country(),
    }


def _headline(session: JSON, summary: JSON, in_currency: Callable[[int], str]) -> JSON:
    """The first words of the page: what this is, what it costs, and what follows a trial."""
    names = [line["name"] for line in summary["lines"]]
    recurring, trial = summary["recurring"], summary["trial_days"]
    if session["mode"] == "setup":
        return {"text": "Save your card", "amount": NAME}
    if recurring is None:
        text = f"Pay for {names[0]}" if len(names) == 1 else f"Pay {NAME}"
        return {"text": text, "amount": in_currency(summary["total"])}
    plan = f"{in_currency(recurring['amount'])} {every(recurring)}"
    if trial:
        days = "1 day" if trial == 1 else f"{trial} days"
        after = f"Then {plan}, starting {day(summary['trial_end'])}"
        return {"text": f"Try {names[0]}", "amount": f"{days} free", "after": after}
    text = f"Subscribe to {names[0]}" if len(names) == 1 else f"Subscribe to {NAME}"
    first = in_currency(summary["total"])
    different = summary["total"] != recurring["amount"]
    return {
        "text": text,
        "amount": first,
        "every": "due today" if different else every(recurring),
        "after": f"Then {plan}" if different else "",
    }


def _button(session: JSON, summary: JSON, in_currency: Callable[[int], str]) -> str:
    if session["mode"] == "setup":
        return "Save card"
    if session["mode"] == "subscription":
        return "Start trial" if summary["trial_days"] else "Subscribe"
    return f"Pay {in_currency(summary['total'])}" if summary["total"] else "Complete order"


def _terms(session: JSON, summary: JSON) -> str:
    if session["mode"] != "subscription":
        return ""
    when = "when the trial ends and then " if summary["trial_days"] else ""
    return (
        f"By confirming, you allow {NAME} to charge your card {when}at each renewal until you"
        " cancel. Here nothing is ever charged."
    )


def _billed(recurring: JSON) -> str:
    words = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}
    return words[recurring["interval"]] if recurring["interval_count"] == 1 else every(recurring)


def _changed(id: str, change: Callable[[Work, Record], None]) -> str | None:
    """Change an open session; return why not, in the customer's words."""
    done = carried_out(lambda work: change(work, _open(work, id)))
    return done.message if isinstance(done, ApiError) else None


def _open(work: Work, id: str) -> Record:
    session = work.tx.get(TYPE, id)
    if session is None or session.body["status"] != "open":
        raise ApiError(400, "This checkout has ended.")
    return session


def _apply(work: Work, session: Record, code: str) -> None:
    if not code:
        raise ApiError(400, "Enter a promotion code.")
    checkout_page.apply_promotion_code(work, session, code)


def _attempt(id: str, action: Callable[[Work, Record], JSON]) -> Response:
    """Try to complete the session; what an attempt did is kept even when it is declined."""
    answer = carried_out(lambda work: _completed(work, id) or action(work, _open(work, id)))
    if isinstance(answer, ApiError):
        return jsonify(error={"message": answer.message})
    if answer["status"] == "requires_action":
        return jsonify(client_secret=answer["client_secret"])
    account = current_account()
    wait_for_delivery(account, "checkout.session.completed", id)
    with account.store.reading() as tx:
        session = tx.get(TYPE, id)
    return jsonify(url=_success_url(session.body) if session else _path(id))


def _completed(work: Work, id: str) -> JSON | None:
    """A session that the bank's answer, or another tab, has completed meanwhile."""
    session = work.tx.get(TYPE, id)
    done = session is not None and session.body["status"] == "complete"
    return {"status": "complete"} if done else None


def _success_url(session: JSON) -> str:
    url: str | None = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"]) if url else _path(session["id"])


def _ended(session: JSON) -> BaseResponse:
    if session["status"] == "complete":
        link = None
        if session["success_url"]:
            link = {"url": _success_url(session), "text": f"Return to {NAME}"}
        texts = ["This checkout is complete. Nothing is left to do here."]
        return message("You’re all done here", texts, link)
    link = None
    if session["cancel_url"]:
        link = {"url": session["cancel_url"], "text": f"Return to {NAME}"}
    texts = [
        "This checkout session has timed out, and nothing was paid.",
        f"Return to {NAME} to start again.",
    ]
    return message("This page has expired", texts, link)


def _unknown() -> BaseResponse:
    texts = ["There is no such checkout session, or the link is not complete."]
    return message("Something is missing", texts, status=404)


def _path(id: str) -> str:
    return f"/c/pay/{id}"
