"""Open payments that wait for their event, and whether each was credited once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text

from benchmarks.events import AMOUNT_CENTS, CREDITS
from storefront.db import prepare_engine, sqlite_module, utc_text, utcnow

_USER = text("""
    INSERT INTO users (id, email, password_hash, stripe_customer_id, stripe_customer_attempt,
        is_admin, session_version, created_at)
    VALUES ('usr_' || :key, :key || '@example.com', '', 'cus_' || :key, 1, :no, 1, :now)
""")
_PAYMENT = text("""
    INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt, stripe_intent_id,
        amount_cents, currency, credits, status, amount_received, amount_refunded,
        amount_disputed, reversals, created_at, updated_at)
    VALUES ('pay_' || :key, 'usr_' || :customer, 'top_up', 'usd_10', 1, 1, 'pi_' || :key, :amount,
        'usd', :credits, 'requires_payment_method', 0, 0, 0, 0, :now, :now)
""")


def open_payments(url: str, keys: Iterable[str], customer: str | None = None) -> None:
    """For each key the payment `pay_<key>` of the user `usr_<key>`, or all of one customer."""
    keys = list(keys)
    with _writing(url) as connection:
        sqlite = connection.dialect.name == "sqlite"
        now = utc_text(utcnow()) if sqlite else utcnow()
        users = [customer] if customer else keys
        connection.execute(_USER, [{"key": key, "no": 0 if sqlite else False, "now": now}
                                   for key in users])  # fmt: skip
        facts = {"amount": AMOUNT_CENTS, "credits": CREDITS, "now": now}
        connection.execute(
            _PAYMENT, [{"key": key, "customer": customer or key, **facts} for key in keys]
        )


def expect_credited(url: str, events: int) -> None:
    """Raises RuntimeError unless so many events were credited, each once."""
    with _writing(url) as connection:
        counted = text("SELECT count(*), count(DISTINCT payment_id), sum(credits)"
                       " FROM ledger_transfers")  # fmt: skip
        found = tuple(int(each or 0) for each in connection.execute(counted).one())
    if found != (events, events, events * CREDITS):
        raise RuntimeError(f"{events} events were acknowledged, but the ledger holds {found}")


@contextmanager
def _writing(url: str) -> Iterator[Connection]:
    """A connection of our own, as the shop's."""
    if url.startswith("sqlite"):
        engine = create_engine(url, module=sqlite_module(), connect_args={"isolation_level": None})
        prepare_engine(engine)
    else:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
