"""A balance, and the account page, in ledgers of a thousand to ten million transfers.

A tenth of each ledger's transfers are of one customer, whose pages are measured. Rows are made by
the database, its foreign keys unchecked and its other indexes made afterwards; then it is vacuumed.
Each round asks all ledgers, one after another; a ratio is between the medians of all rounds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import text

from benchmarks.customer import Browser, Customer, in_process, new_customer
from benchmarks.frame import Bench, Measured, Ratio, Served, median
from benchmarks.plots import Lines
from storefront import ledger, statements
from storefront.db import db, sqlite_module

NAME = "history"
SIZES = {"PostgreSQL": (1_000, 1_000_000, 10_000_000), "SQLite": (1_000, 1_000_000)}
QUICK_SIZES = {"PostgreSQL": (1_000, 20_000), "SQLite": (1_000, 20_000)}
HOT_SHARE = 10
PAID = 1_000
"""As many of the hot customer's newest transfers have a payment."""

FLAT = 1.2
NOTE = (
    "A balance is one row, looked up by its primary key. An index that holds the balance itself"
    " would spare that look its visit to the table, but each credit would then have to change the"
    " index, too."
)
PAGES = ("/balance", "/account")


@dataclass
class Ledger:
    """One of the ledgers, and how long reading the hot customer in it took."""

    database: str
    size: int
    url: str
    settings: dict[str, str]
    customer: Customer | None = None
    seconds_to_fill: float = 0
    read_us: dict[str, list[float]] = field(default_factory=dict)
    answer_ms: dict[str, list[float]] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)


def measure(bench: Bench) -> Measured:
    sizes = QUICK_SIZES if bench.quick else SIZES
    ledgers = [_ledger(bench, database, size) for database, all in sizes.items() for size in all]
    for it in ledgers:
        with bench.shop(it.url, **it.settings) as shop:
            _fill(bench, it, shop)
    for number in bench.each_round():
        turn = number % len(ledgers)
        for it in ledgers[turn:] + ledgers[:turn]:
            with bench.shop(it.url, **it.settings) as shop:
                _read(bench, it, shop)
    return _measured(ledgers)


def _measured(ledgers: list[Ledger]) -> Measured:
    rows = [
        {
            "database": it.database,
            "transfers": it.size,
            "balance_us": round(median(it.read_us["balance"])),
            "page_of_history_us": round(median(it.read_us["page of history"])),
            **{f"{path}_ms": round(median(it.answer_ms[path]), 2) for path in PAGES},
            "filled_in_s": round(it.seconds_to_fill),
        }
        for it in ledgers
    ]
    plans = {f"{name}, {it.database}": plan for it in ledgers for name, plan in it.plans.items()}
    ratios = [
        ratio for each in SIZES for ratio in _ratios([it for it in ledgers if it.database == each])
    ]
    note = "A balance is one row, looked up by its primary key; no read sums up anything."
    return Measured({"ledgers": rows, "plans": plans}, ratios, [note], [_plot(ledgers)])


def _ratios(ledgers: list[Ledger]) -> list[Ratio]:
    """Of the largest ledger to the smallest."""
    small, large = ledgers[0], ledgers[-1]
    what = f"{large.database}, {large.size:,} transfers of {small.size:,}"
    return [
        Ratio(f"{name}: {what}", median(of(large)[name]) / median(of(small)[name]), FLAT, False)
        for of in (lambda it: it.read_us, lambda it: it.answer_ms)
        for name in of(small)
    ]


def _plot(ledgers: list[Ledger]) -> Lines:
    series = {
        f"{path}, {database}": [
            (it.size / 1e6, round(median(it.answer_ms[path]), 3))
            for it in ledgers
            if it.database == database
        ]
        for database in SIZES
        for path in PAGES
    }
    return Lines("Reading, by the size of the ledger", "million transfers", "ms", series)


def _ledger(bench: Bench, database: str, size: int) -> Ledger:
    url = bench.postgresql() if database == "PostgreSQL" else bench.sqlite()
    instance = str(bench.folder / f"history_{database}_{size}")
    return Ledger(database, size, url, {"STOREFRONT_INSTANCE": instance})


def _fill(bench: Bench, it: Ledger, shop: Served) -> None:
    it.customer = new_customer(shop, "hot")
    begun = time.monotonic()
    fill = _fill_postgresql if it.database == "PostgreSQL" else _fill_sqlite
    fill(it.url, it.customer.id, it.size)
    it.seconds_to_fill = time.monotonic() - begun
    bench.say(f"  {it.database}: {it.size:,} transfers in {it.seconds_to_fill:.0f} seconds")


def _fill_postgresql(url: str, hot: str, size: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no keys are looked up
        connection.execute("SET maintenance_work_mem = '256MB'")
        others = connection.execute(_OTHER_INDEXES).fetchall()
        connection.execute(f"ALTER TABLE ledger_transfers DROP CONSTRAINT {UNIQUE}")
        for name, _ in others:
            connection.execute(f'DROP INDEX "{name}"')
        numbers = "FROM generate_series(1, {count}) AS numbers(i)"
        for statement in _statements(hot, size, numbers, "now() - ({ago}) * interval '1 second'"):
            connection.execute(statement)
        add = f"ADD CONSTRAINT {UNIQUE} UNIQUE (wallet, wallet_version)"
        connection.execute(f"ALTER TABLE ledger_transfers {add}")
        for _, definition in others:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")


UNIQUE = "uq_ledger_transfers_wallet_version"
_OTHER_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = 'ledger_transfers' AND indexname LIKE 'ix%'
"""


def _fill_sqlite(url: str, hot: str, size: int) -> None:
    connection = sqlite_module().connect(url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        numbers = """FROM (WITH RECURSIVE n(i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"""
        moment = "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', '-' || ({ago}) || ' seconds')"
        connection.execute("BEGIN")
        for statement in _statements(hot, size, numbers, moment):
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()


def _statements(hot: str, size: int, numbers: str, moment: str) -> list[str]:
    """What makes the rows. The hot customer's wallet gets a tenth of the transfers, spread over all
    of them; the rest is shared among a wallet for each hundred."""
    others = max(1, size // 100)
    mine = f"i % {HOT_SHARE} = 0"
    rank = f"i / {HOT_SHARE}"  # the how-manieth of the hot wallet's
    other = f"i % {others}"
    wallet = f"CASE WHEN {mine} THEN 'wallet:{hot}' ELSE 'wallet:usr_' || ({other}) END"
    # The others' versions only have to differ.
    version = f"CASE WHEN {mine} THEN {rank} ELSE i END"
    at = moment.format(ago=f"({size} - i) * 3.0")
    all_numbers = numbers.format(count=size)
    newest = size // HOT_SHARE - PAID
    held = size // HOT_SHARE
    return [
        f"""INSERT INTO users (id, email, password_hash, stripe_customer_attempt, is_admin,
                session_version, created_at)
            SELECT 'usr_' || (i - 1), 'other' || i || '@example.com', '', 1, FALSE, 1,
                {moment.format(ago="i")} {numbers.format(count=others)}""",
        f"""INSERT INTO ledger_accounts (id, kind, user_id, balance, version)
            SELECT 'wallet:usr_' || (i - 1), 'wallet', 'usr_' || (i - 1), 0, 0
                {numbers.format(count=others)}""",
        f"""INSERT INTO ledger_accounts (id, kind, user_id, balance, version)
            VALUES ('wallet:{hot}', 'wallet', '{hot}', {held * 100}, {held})""",
        f"""INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt,
                stripe_intent_id, amount_cents, currency, credits, status, amount_received,
                amount_refunded, created_at, updated_at, amount_disputed, reversals)
            SELECT 'pay_' || i, '{hot}', 'top_up', 'usd_5', 1, 1, 'pi_' || i, 500, 'usd', 100,
                'succeeded', 500, 0, {at}, {at}, 0, 0
                {all_numbers} WHERE {mine} AND {rank} > {newest}""",
        f"""INSERT INTO ledger_transfers (id, code, source, target, credits, wallet,
                wallet_version, balance_after, happened_at, created_at, payment_id, note)
            SELECT 'payment:pay_' || i, 'top_up', 'sales', {wallet}, 100, {wallet}, {version},
                100 * ({version}), {at}, {at},
                CASE WHEN {mine} AND {rank} > {newest} THEN 'pay_' || i END, ''
                {all_numbers}""",
    ]


def _read(bench: Bench, it: Ledger, shop: Served) -> None:
    assert it.customer is not None
    asked = bench.count(400, 50)
    browser = Browser(shop.url, it.customer.cookie)
    for path in PAGES:
        for _ in range(10):  # each process compiles its templates and statements
            browser.get(path)
        it.answer_ms.setdefault(path, []).extend(browser.get(path) for _ in range(asked))
    browser.close()
    with in_process(shop) as app, app.app_context():
        session, id = db.session(), it.customer.id
        reads: dict[str, Callable[[], Any]] = {
            "balance": lambda: ledger.balance(session, id),
            "page of history": lambda: statements.page(session, id),
        }
        for name, read in reads.items():
            read()
            it.read_us.setdefault(name, []).extend(_microseconds(read) for _ in range(asked))
        it.plans = _plans(it, id)


def _microseconds(read: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    read()
    return (time.perf_counter() - begun) * 1e6


def _plans(it: Ledger, id: str) -> dict[str, str]:
    """How the database finds them, in its own words."""
    wallet = {"wallet": ledger.wallet_id(id)}
    queries = {
        "balance": "SELECT balance FROM ledger_accounts WHERE id = :wallet",
        "page of history": "SELECT id FROM ledger_transfers WHERE wallet = :wallet"
        " ORDER BY wallet_version DESC LIMIT 21",
    }
    explain = "EXPLAIN (COSTS OFF)" if it.database == "PostgreSQL" else "EXPLAIN QUERY PLAN"
    session = db.session()
    plans = {}
    for name, query in queries.items():
        rows = session.execute(text(f"{explain} {query}"), wallet).all()
        plans[name] = "; ".join(str(row[-1]).strip(" ->") for row in rows)
    return plans
