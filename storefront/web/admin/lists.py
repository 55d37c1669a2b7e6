"""Lists as pages and as CSV. A filter that cannot be read is answered with the page, a sentence and
status 400."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from storefront.admin.paging import Listing, Page
from storefront.db import db, end_reading
from storefront.errors import BadInput

T = TypeVar("T")
Cell = str | int | datetime | None

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a text for a formula (owasp.org, CSV injection)."""


def show(
    template: str, listing: Callable[[], Listing[T]], *, csv_endpoint: str, **context: Any
) -> ResponseReturnValue:
    """A page of a list, with what asks for the next one and for all of it as CSV."""
    problem = None
    page: Page[T] = Page([], None)
    try:
        page = listing().page(db.session(), request.args.get("after"))
    except BadInput as refusal:
        problem = refusal.detail
    return (
        render_template(
            template,
            page=page,
            problem=problem,
            args=request.args,
            first="after" not in request.args,
            newest_url=_url(request.endpoint),
            next_url=_url(request.endpoint, after=page.next) if page.next else None,
            csv_url=_url(csv_endpoint),
            **context,
        ),
        400 if problem else 200,
    )


def export(
    name: str, header: Sequence[str], listing: Listing[T], row: Callable[[T], Sequence[Cell]]
) -> Response:
    """The whole list as CSV, sent while it is read: no transaction waits for who downloads."""

    def lines() -> Iterator[str]:
        yield _text([header])
        for batch in listing.walk(db.session()):
            text = _text([row(each) for each in batch])
            end_reading()
            yield text

    return Response(
        stream_with_context(lines()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def guarded(cell: Cell) -> str | int:
    """A cell that no spreadsheet takes for a formula: such a text gets a quote in front. Numbers of
    ours stay numbers, also below zero."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return cell


def _text(rows: Sequence[Sequence[Cell]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([guarded(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _url(endpoint: str | None, **changes: str) -> str:
    """The same filters elsewhere: another page, or the export."""
    assert endpoint is not None
    given = {name: text for name, text in request.args.items() if text and name != "after"}
    return url_for(endpoint, **(given | (request.view_args or {}) | changes))
