"""How the databases find what pages show: by a key, never by looking through a table or sorting.
A balance is one look-up of a row by its primary key, and sums up nothing."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import Connection, event, text

from storefront import ledger, statements
from storefront.db import db, is_sqlite, transaction
from tests.support.builders import a_payment, a_user

LOOK_UPS = ("Index Scan", "SEARCH")
"""PostgreSQL's word and SQLite's; the others are Seq Scan and SCAN."""

NO_LOOK_UPS = ("Limit", "Nested Loop", "Index Cond")
DEAR = (
    "enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_hashjoin", "enable_mergejoin",
    "enable_material", "enable_memoize",
)  # fmt: skip
COUNTED = ("ledger_transfers", "payments")
"""What of a table of no rows is looked at is up to chance: these have some, and it is known."""


def test_a_balance_and_a_page_of_history_are_looked_up(app: Flask) -> None:
    customer = a_user(app)
    payments = [a_payment(app, customer).id for _ in range(50)]
    with app.app_context():
        with transaction() as session:
            ledger.transfer_all(
                session,
                [
                    ledger.Order(f"plans:{id}", "top_up", customer.id, 10, payment_id=id)
                    for id in payments
                ],
            )
            for table in () if is_sqlite(session) else COUNTED:
                session.execute(text(f"ANALYZE {table}"))
        balance = plan_of(lambda: ledger.balance(db.session(), customer.id))
        page = plan_of(lambda: statements.page(db.session(), customer.id, before=30))
    assert len(balance) == 1, balance
    for step in (*balance, *page):
        assert step.startswith(LOOK_UPS), step
    assert any("ledger_transfers" in step for step in page), page
    assert not any("Sort" in step or "TEMP B-TREE" in step for step in page), page


def plan_of(read: Callable[[], object]) -> list[str]:
    """How the database finds what `read` asks for, a line for each table. PostgreSQL is told that
    everything else is dear: in a small table it would look at all rows, being no worse off."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cu: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    read()
    event.remove(db.engine, "before_cursor_execute", note)
    statement, parameters = asked[-1]  # on SQLite after its BEGIN
    session, sqlite = db.session(), is_sqlite(db.session())
    for setting in () if sqlite else DEAR:
        session.execute(text(f"SET LOCAL {setting} = off"))
    return _explained(session.connection(), sqlite, statement, parameters)


def _explained(connection: Connection, sqlite: bool, statement: str, parameters: Any) -> list[str]:
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN (COSTS OFF)"
    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    steps = [str(row[-1]).strip(" ->") for row in rows]
    return [step for step in steps if not step.startswith(NO_LOOK_UPS)]
