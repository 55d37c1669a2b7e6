"""A shop that began on SQLite goes on, on PostgreSQL, as if nothing had happened."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from storefront import attempts, auditing, copying, jobs, ledger
from storefront.attempts import Limit
from storefront.auditing import COMMAND_LINE, AuditEntry
from storefront.db import Base, db, sqlite_module, transaction
from storefront.ledger import Order
from tests.support import books, databases
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import (
    Customer,
    a_payment,
    a_user,
    an_event,
    an_intent,
    declined,
    deliver,
    paid,
)

sqlite = sqlite_module()
AWKWARD = 'Grüße 🧾, "quoted", back\\slash,\ttab, line\nbreak'


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    with databases.new_sqlite(sqlite_template, tmp_path) as url:
        yield url


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.getfixturevalue("reused_postgresql").lent() as url:
        yield url


@pytest.fixture
def customer(app: Flask) -> Customer:
    """With purchases, a decline, a parked event, a spend, seals, promised work and a log."""
    customer, client = a_user(app), app.test_client()
    for _ in range(2):
        assert deliver(client, paid(a_payment(app, customer))).status_code == 200
    deliver(client, declined(a_payment(app, customer)))
    deliver(client, an_event(an_intent(a_payment(app, customer), amount_received=1)))
    with app.app_context():
        attempts.take(Limit("sign_in", customer.email, 5, timedelta(hours=1)))
        with transaction() as session:
            ledger.transfer(session, Order("spend:1", "spend", customer.id, 300, note=AWKWARD))
            ledger.seal(session)
            granted(session, customer)
    return customer


def granted(session: Session, customer: Customer) -> None:
    """A row whose number the database gives."""
    auditing.record(session, COMMAND_LINE, "credits_granted", customer.id, reason=AWKWARD)


def db_copy(app: Flask, url: str) -> Result:
    return app.test_cli_runner().invoke(args=["db-copy", "--to", url])


def rows_of(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
    }


def test_the_copy_is_the_shop_and_goes_on(
    app: Flask, customer: Customer, target: str, tmp_path: Path
) -> None:
    copied = db_copy(app, target)
    assert copied.exit_code == 0, copied.output
    assert "payments: 4 rows" in copied.output
    assert "the ledger has 1 wallets and 3 transfers on both sides" in copied.output
    with app.app_context(), databases.connected(target) as there:
        assert rows_of(there) == rows_of(db.session.connection())
    with closing(an_app(some_settings(tmp_path, target))) as moved:
        assert deliver(moved.test_client(), paid(a_payment(moved, customer))).status_code == 200
        assert books.balance(moved, customer.id) == books.balance(app, customer.id) + 1000
        with moved.app_context():
            with transaction() as session:
                granted(session, customer)
                ledger.seal(session)
            assert ledger.verify(db.session()) == []
            assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 2


def test_a_target_with_rows_is_left_alone(app: Flask, customer: Customer, target: str) -> None:
    assert db_copy(app, target).exit_code == 0
    again = db_copy(app, target)
    assert again.exit_code == 1
    assert "The target is not empty: there are rows in" in again.output


def test_what_was_changed_on_the_way_is_found(app: Flask, customer: Customer, target: str) -> None:
    """A trigger on the target stands for whatever might falsify a value between the two."""
    with databases.connected(target) as there:
        there.execute(
            text(
                "CREATE FUNCTION falsify() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN NEW.email := 'x' || NEW.email; RETURN NEW; END $$"
            )
        )
        there.execute(
            text(
                "CREATE TRIGGER falsify BEFORE INSERT ON users"
                " FOR EACH ROW EXECUTE FUNCTION falsify()"
            )
        )
        there.commit()
    failed = db_copy(app, target)
    assert failed.exit_code == 1
    assert "users is not the same in the target. Nothing was kept." in failed.output
    with databases.connected(target) as there:
        left = {name for name, rows in rows_of(there).items() if rows}
        assert left == {"ledger_accounts"}, "with the accounts that each shop has"
        there.execute(text("DROP TRIGGER falsify ON users"))
        there.execute(text("DROP FUNCTION falsify()"))
        there.commit()


def test_a_shop_at_work_is_not_copied(app: Flask, customer: Customer, target: str) -> None:
    registry = {"note": lambda _args: told.append(db_copy(app, target).output)}
    told: list[str] = []
    with app.app_context():
        with transaction() as session:
            session.execute(Base.metadata.tables["jobs"].delete())
            jobs.promise(session, "note", {}, key="note")
        jobs.work_once(registry)
    assert "A worker is doing a job. Stop the web processes" in told[0]


def test_nobody_writes_meanwhile(
    app: Flask, customer: Customer, target: str, database_url: str
) -> None:
    refusals: list[str] = []

    def try_to_write(_line: str) -> None:
        impatient = sqlite.connect(database_url.removeprefix("sqlite:///"), timeout=0)
        try:
            impatient.execute("BEGIN IMMEDIATE")
        except sqlite.OperationalError as error:
            refusals.append(str(error))
        finally:
            impatient.close()

    with app.app_context(), databases.an_engine(target) as there:
        head = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.rollback()
        copied = copying.copy(db.engine, there, head, try_to_write)
    assert refusals == ["database is locked"] * len(copied.tables)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://host/shop", "--to must begin with postgresql://"),
        ("sqlite:////tmp/other.sqlite3", "A shop is copied from SQLite to PostgreSQL"),
        ("postgresql://nobody@127.0.0.1:9/shop", "The target refused"),
    ],
)
def test_a_wrong_target_is_named(app: Flask, url: str, sentence: str) -> None:
    refused = db_copy(app, url)
    assert refused.exit_code == 1
    assert sentence in refused.output
    assert "Traceback" not in refused.output


def test_the_target_must_be_at_head(app: Flask, tmp_path: Path) -> None:
    with databases.new_empty("postgresql", tmp_path) as empty:
        refused = db_copy(app, empty)
    assert refused.exit_code == 1
    assert "The target is at migration none" in refused.output
    assert "flask db upgrade" in refused.output
