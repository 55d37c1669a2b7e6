"""The hosted invoice: what it is for, paying it while it is open, and the same as a PDF.

The token in the link is the right to see and pay the invoice.
"""

from __future__ import annotations

from hmac import compare_digest
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ..account import Work, current_account
from ..account_info import NAME
from ..billing import invoice_page
from ..billing.collection import default_method
from ..errors import JSON, ApiError
from ..records import Record
from .card_input import method_data, sent
from .carried_out import carried_out
from .challenge_result import challenge_result
from .countries import chosen_country, countries
from .headers import protect
from .invoice_pdf import invoice_pdf
from .invoice_totals import totals
from .message import message
from .money import day, money, short_day
from .portal_views import badge, card_in_words

bp = Blueprint("browser_invoice", __name__, url_prefix="/i/<id>", template_folder="templates")

TYPE = "invoice"


@bp.get("")
def show(id: str) -> BaseResponse:
    """Show the invoice, with a way to pay it while it is open."""
    with current_account().store.reading() as tx:
        invoice = _find(Work(current_account(), tx), id)
        if invoice is None:
            return _unknown()
        shown = _view(Work(current_account(), tx), invoice)
    return make_response(render_template("fakestripe/invoice.html", **shown))


@bp.get("/pdf")
def pdf(id: str) -> BaseResponse:
    """Answer the invoice as a PDF to keep."""
    with current_account().store.reading() as tx:
        invoice = _find(Work(current_account(), tx), id)
    if invoice is None:
        return _unknown()
    response = Response(invoice_pdf(invoice.body), mimetype="application/pdf")
    name = f"Invoice-{invoice.body['number'] or invoice.id}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@bp.post("/pay")
def pay(id: str) -> Response:
    """Pay with the card of the form, or with the one on file (JSON)."""
    given = sent()

    def action(work: Work) -> JSON:
        invoice = _find(work, id)
        if invoice is None:
            raise ApiError(404, "There is no such invoice.")
        method = method_data(given["card"]) if given.get("card") else None
        return invoice_page.pay_invoice(work, invoice, method)

    answer = carried_out(action)
    if isinstance(answer, ApiError):
        return jsonify(error={"message": answer.message})
    if answer["status"] == "requires_action":
        return jsonify(client_secret=answer["client_secret"])
    return jsonify(url=_here(id))


@bp.post("/resume")
def resume(id: str) -> Response:
    """Say how the payment ended whose challenge was answered (JSON)."""
    refusal = challenge_result(sent().get("client_secret"))
    return jsonify(error={"message": refusal}) if refusal else jsonify(url=_here(id))


@bp.after_request
def _headers(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return protect(response, frame_src="'self'", form_action="'self'")


def _find(work: Work, id: str) -> Record | None:
    """Return the invoice if the link's token is its own."""
    invoice = work.tx.get(TYPE, id)
    if invoice is None or invoice.deleted:
        return None
    known, given = str(invoice.private["token"]), request.args.get("token", "")
    return invoice if compare_digest(known.encode(), given.encode()) else None


def _view(work: Work, invoice: Record) -> JSON:
    body = invoice.shown()
    return {
        "styles": ["invoice"],
        "scripts": ["pay"],
        "merchant": NAME,
        "invoice": body,
        "payable": body["status"] in ("open", "uncollectible") and body["amount_remaining"] > 0,
        "status": badge(body["status"]),
        "paid_at": body["status_transitions"]["paid_at"],
        "card": card_in_words(default_method(work, invoice)),
        "here": f"/i/{invoice.id}",
        "token": "?" + urlencode({"token": invoice.private["token"]}),
        "totals": totals(body),
        "money": lambda amount: money(amount, body["currency"]),
        "day": day,
        "short_day": short_day,
        "countries": countries(),
        "chosen": chosen_country(),
    }


def _here(id: str) -> str:
    return f"/i/{id}?{urlencode({'token': request.args.get('token', '')})}"


def _unknown() -> Response:
    texts = ["There is no such invoice, or the link is not complete."]
    return message("Something is missing", texts, status=404)
