"""A shop of a million payments has few that are open: the walk reads those alone."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from storefront import sweeping
from storefront.db import db, utc_text, utcnow
from tests.support import books
from tests.support.at_checkout import opens_checkout
from tests.support.served import ServedShop
from tests.support.shopping import opens
from tests.support.swept import OLD, grows_old

INDEXES = {"payments": "ix_payments_unsettled", "checkouts": "ix_checkouts_unfinished"}


def test_the_walk_reads_the_open_ones_by_their_index(selling: ServedShop) -> None:
    """Each page, also those after a place."""
    for _ in range(2):
        opens(selling.app, selling.a_buyer())
        opens_checkout(selling.app, selling.a_buyer())
    sold(selling, 2_000)
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if ".created_at, " in statement and "LIMIT" in statement:
            asked.append((statement, parameters))

    with selling.app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        assert len(list(sweeping.sweep(_gateway(selling), timedelta(hours=24), dry_run=True))) == 4
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(asked) == 4, "of each kind, and after the last of them"
    for statement, parameters in asked:
        table = "payments" if "FROM payments" in statement else "checkouts"
        assert INDEXES[table] in _plan(selling, statement, parameters), statement


def sold(shop: ServedShop, payments: int) -> None:
    """So many payments and checkouts that came to their end: half of them older than those that
    are open, half of them younger."""
    grows_old(shop.app)
    for table, status, columns in (
        ("payments", "succeeded", "kind, pack_or_plan, quantity, amount_cents, currency, credits,"
         " attempt, amount_received, amount_refunded"),
        ("checkouts", "complete", "plan, interval, quantity, mode, stripe_price_id, amount_cents,"
         " currency, credits, attempt"),
    ):  # fmt: skip
        for name, age in (("old", 2 * OLD), ("young", OLD - timedelta(minutes=30))):
            moment = utcnow() - age
            books.execute(
                shop.app,
                "WITH RECURSIVE n(i) AS"
                f" (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {payments // 2})"
                f" INSERT INTO {table} (id, user_id, status, created_at, updated_at, {columns})"
                f" SELECT '{name}_{table}_' || i, user_id, '{status}', :moment, :moment, {columns}"
                f" FROM {table}, n"
                f" WHERE id = (SELECT min(id) FROM {table} WHERE status <> '{status}')",
                moment=utc_text(moment) if books.is_sqlite(shop.app) else moment,
            )
    books.execute(shop.app, "ANALYZE")


def _plan(shop: ServedShop, statement: str, parameters: Any) -> str:
    how = "EXPLAIN QUERY PLAN" if books.is_sqlite(shop.app) else "EXPLAIN"
    with shop.app.app_context(), db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{how} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def _gateway(shop: ServedShop) -> Any:
    return shop.app.extensions["stripe_gateway"]
