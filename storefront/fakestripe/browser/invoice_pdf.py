"""An invoice on paper: who, when, the lines, the sums."""

from __future__ import annotations

from ..account_info import NAME
from ..errors import JSON
from .invoice_totals import totals
from .money import day, money, money_with_code, short_day
from .pdf import ENCODING, LETTER, Rule, Text, document, fitted

Mark = Text | Rule

_LEFT, _RIGHT, _TOP, _BOTTOM = 54.0, LETTER[0] - 54.0, LETTER[1] - 64.0, 72.0
_LINE_HEIGHT = 34.0
_QUANTITY_X = _RIGHT - 110
_NOTE = "Stand-in for Stripe: nobody was charged, and no money moved."


def invoice_pdf(invoice: JSON) -> bytes:
    """Return the PDF; a long invoice takes several pages."""
    marks, y = _head(invoice)
    pages = [marks]
    for line in invoice["lines"]["data"]:
        if y < _BOTTOM + _LINE_HEIGHT:
            pages.append(_columns(_TOP))
            y = _TOP - 24
        pages[-1] += _line(line, y)
        y -= _LINE_HEIGHT
    sums = totals(invoice)
    if y < _BOTTOM + 18 * len(sums):
        pages.append([])
        y = _TOP
    for name, amount, last in sums:
        text = _money(amount, invoice["currency"])
        pages[-1] += [
            Text(_QUANTITY_X, y, name, bold=last, right=True),
            Text(_RIGHT, y, text, bold=last, right=True),
        ]
        y -= 18
    for number, page in enumerate(pages, start=1):
        page.append(Text(_LEFT, 42, _NOTE, size=8))
        page.append(Text(_RIGHT, 42, f"Page {number} of {len(pages)}", size=8, right=True))
    return document(pages, f"Invoice {invoice['number'] or invoice['id']}")


def _head(invoice: JSON) -> tuple[list[Mark], float]:
    """The first page down to the column titles, and where the lines begin."""
    due = _money(invoice["amount_remaining"] or invoice["amount_paid"], invoice["currency"])
    paid_at = invoice["status_transitions"]["paid_at"]
    facts = [("Invoice number", invoice["number"] or "draft"),
             ("Date of issue", day(invoice["created"])),
             ("Status", invoice["status"].capitalize())]  # fmt: skip
    if paid_at:
        facts.append(("Date paid", day(paid_at)))
    marks: list[Mark] = [
        Text(_LEFT, _TOP, "Invoice", size=22, bold=True),
        Text(_RIGHT, _TOP, fitted(NAME, 11, 300), size=11, bold=True, right=True),
    ]
    y = _TOP - 34
    for name, value in facts:
        marks += [Text(_LEFT, y, name), Text(_LEFT + 110, y, value)]
        y -= 16
    y -= 12
    marks.append(Text(_LEFT, y, "Bill to", bold=True))
    for value in filter(None, (invoice["customer_name"], invoice["customer_email"])):
        y -= 16
        marks.append(Text(_LEFT, y, fitted(value, 10, _RIGHT - _LEFT)))
    paid = invoice["status"] == "paid"
    y -= 40
    words = f"{due} paid" if paid else f"{due} due"
    marks.append(Text(_LEFT, y, words, size=16, bold=True))
    y -= 36
    return marks + _columns(y), y - 24


def _columns(y: float) -> list[Mark]:
    return [
        Text(_LEFT, y, "Description", size=9),
        Text(_QUANTITY_X, y, "Qty", size=9, right=True),
        Text(_RIGHT, y, "Amount", size=9, right=True),
        Rule(_LEFT, y - 8, _RIGHT - _LEFT),
    ]


def _line(line: JSON, y: float) -> list[Mark]:
    period = f"{short_day(line['period']['start'])} – {short_day(line['period']['end'])}"
    return [
        Text(_LEFT, y, fitted(line["description"] or "", 10, _QUANTITY_X - _LEFT - 40)),
        Text(_LEFT, y - 12, period, size=8),
        Text(_QUANTITY_X, y, str(line["quantity"] or ""), right=True),
        Text(_RIGHT, y, _money(line["amount"], line["currency"]), right=True),
        Rule(_LEFT, y - 20, _RIGHT - _LEFT),
    ]


def _money(amount: int, currency: str) -> str:
    """With the currency's sign where the font has it, with its code otherwise."""
    text = money(amount, currency)
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return money_with_code(amount, currency)
    return text
