"""Lists with many rows: every page by an index, every row once, all of it as CSV."""

import csv
import io
import re

import pytest
from flask import Flask
from sqlalchemy import text

from storefront import ledger
from storefront.admin import filters, finding, lists, payments
from storefront.admin.paging import Listing
from storefront.auditing import AuditEntry
from storefront.db import db, utcnow
from storefront.inbox import StripeEvent
from storefront.ledger import Transfer
from storefront.payments import Payment
from tests.admin.many import fill
from tests.admin.operator import an_operator
from tests.support import books

CUSTOMERS, EACH = 2000, 2


@pytest.fixture
def many(app: Flask) -> Flask:
    """A shop with some thousand rows of each kind, and what they are counted."""
    with app.app_context(), db.engine.begin() as connection:
        fill(connection, CUSTOMERS, EACH)
    return app


def the_lists() -> dict[str, Listing[object]]:
    """Each list, alone and with each of its filters."""
    long_ago, now = filters.since("2020-01-31"), utcnow()
    amount = filters.amount("10", Payment.amount_cents, Payment.currency)
    assert amount is not None
    session = db.session()
    found: dict[str, Listing[object]] = {
        "customers": finding.listed(session),
        "customers by address": finding.listed(session, "customer39"),
        "payments": payments.listed(),
        "payments by state": payments.listed(Payment.status == "succeeded"),
        "payments by kind": payments.listed(Payment.kind == "top_up"),
        "payments by amount": payments.listed(amount),
        "payments by time": payments.listed(*filters.between(Payment.created_at, long_ago, now)),
        "events": lists.events(),
        "events by state": lists.events(StripeEvent.state == "failed"),
        "events by type": lists.events(StripeEvent.type == "payment_intent.succeeded"),
        "transfers": lists.transfers(None),
        "transfers by movement": lists.transfers(None, Transfer.code == "top_up"),
        "transfers by customer": lists.transfers("usr_7"),
        "open jobs": lists.jobs("open"),
        "jobs given up": lists.jobs("given up"),
        "done jobs": lists.jobs("done"),
        "audit": lists.audit(),
        "audit by subject": lists.audit(AuditEntry.subject == "usr_7"),
        "audit by deed": lists.audit(AuditEntry.action == "credits_granted"),
    }  # type: ignore[assignment]
    return found


def test_every_page_is_read_by_an_index(many: Flask) -> None:
    """Neither the first page nor one in the middle scans a table or sorts one. (It is a shop that
    could be: its books are right.)"""
    with many.app_context():
        assert [it for it in ledger.verify(db.session()) if "seal" not in it.finding] == []
        for name, listing in the_lists().items():
            middle = listing.page(db.session(), size=3).next
            for after in (None, middle):
                plan = _plan(listing, after)
                assert _scans(plan) == [], (name, after, plan)


def _plan(listing: Listing[object], after: str | None) -> list[str]:
    dialect = db.engine.dialect
    statement = listing.statement(after).limit(51)
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    how = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{how} {sql}".replace("%", "%%"))
        return [str(row[-1]) for row in rows]


FEW = 200
SORTED = re.compile(r"->  Sort .*rows=([0-9]+)")


def _scans(plan: list[str]) -> list[str]:
    """What costs as much as the table is large. A few rows that were found by an index may be
    sorted, and those of the very same moment. SQLite calls a walk along an index a SCAN, too, and
    a table with a whole number as its key is its own index."""
    return [
        line
        for line in plan
        if "Seq Scan" in line
        or ((found := SORTED.search(line)) and int(found[1]) > FEW)
        or ("SCAN" in line and "USING" not in line and line != "SCAN audit_entries")
        or ("TEMP B-TREE" in line and "LAST TERM" not in line)
    ]


def test_pages_hold_every_row_once_while_new_ones_come(many: Flask) -> None:
    seen: list[str] = []
    with many.app_context():
        listing, after = payments.listed(), None
        while True:
            page = listing.page(db.session(), after, size=300)
            seen += [payment.id for payment, _ in page.rows]
            if len(seen) == 300:
                with db.engine.begin() as connection:
                    connection.execute(_ONE_MORE)
            if page.next is None:
                break
            after = page.next
    assert len(seen) == len(set(seen)) == CUSTOMERS * EACH
    assert "pay_new" not in seen


_ONE_MORE = text(
    "INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt, amount_cents,"
    " currency, credits, status, amount_received, amount_refunded, created_at, updated_at,"
    " amount_disputed, reversals) SELECT 'pay_new', user_id, kind, pack_or_plan, 1, 1, 5, currency,"
    " 5, 'opened', 0, 0, '2999-01-01 00:00:00.000000+00:00', updated_at, 0, 0 FROM payments"
    " WHERE id = 'pay_1'"
)


def test_a_whole_list_is_downloaded_as_csv(many: Flask) -> None:
    """In batches, with the filters of the page, and with nothing that a spreadsheet would run."""
    books.execute(
        many, "UPDATE payments SET pack_or_plan = '=HYPERLINK(\"x\")' WHERE id = 'pay_3999'"
    )
    operator = an_operator(many)
    answer = operator.get("/admin/payments.csv?status=succeeded&amount=10&from=2020-01-31")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="payments.csv"'
    assert answer.is_streamed
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len({row["id"] for row in rows}) == CUSTOMERS * EACH
    assert (rows[0]["id"], rows[0]["amount"], rows[0]["received"]) == ("pay_3999", "1000", "1000")
    assert rows[0]["what"] == '\'=HYPERLINK("x")'
    own = operator.get("/admin/ledger.csv?customer=customer7@example.com")
    assert len(list(csv.DictReader(io.StringIO(own.text)))) == EACH
    assert operator.get("/admin/payments.csv?amount=ten").status_code == 400
