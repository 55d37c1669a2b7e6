"""Many rows, made by the database itself: for lists, their indexes, and the benchmark."""

from sqlalchemy import Connection, text

DAYS = 365


def fill(connection: Connection, customers: int, each: int) -> None:
    """So many customers with `each` top-ups of $10.00, and for each of those its payment, transfer,
    event and done job, spread over a year. Every third payment was declined at first, every
    hundredth event failed. The books verify (nothing is sealed)."""
    sqlite = connection.dialect.name == "sqlite"
    total = customers * each
    for sql in _STATEMENTS:
        count = customers if "{customers}" in sql else total
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
        )
        words = {
            "{customers}": numbers,
            "{transfers}": numbers,
            "{count}": str(customers),
            "{no}": "0" if sqlite else "FALSE",
            "{at}": _at(sqlite, "i", DAYS * 86_400 / count, count),
        }
        for word, meaning in words.items():
            sql = sql.replace(word, meaning)
        connection.execute(text(sql))
    connection.execute(text("ANALYZE"))


def _at(sqlite: bool, number: str, step: float, count: int) -> str:
    """The moment of row `number` of `count`, the last one being now."""
    ago = f"({count - 1} - {number}) * {step:.3f}"
    if sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', '-' || ({ago}) || ' seconds')"
    return f"(now() - ({ago}) * interval '1 second')"


_STATEMENTS = (
    """
    INSERT INTO users (id, email, password_hash, stripe_customer_id, stripe_customer_attempt,
        is_admin, session_version, created_at)
    {customers} SELECT 'usr_' || i, 'customer' || i || '@example.com', '-', 'cus_' || i, 1, {no}, 1,
        {at} FROM n
    """,
    """
    INSERT INTO ledger_accounts (id, kind, user_id, balance, version)
    SELECT 'wallet:' || id, 'wallet', id, 0, 0 FROM users WHERE id LIKE 'usr\\_%' ESCAPE '\\'
        AND password_hash = '-'
    """,
    """
    INSERT INTO payments (id, user_id, kind, pack_or_plan, quantity, attempt, stripe_intent_id,
        amount_cents, currency, credits, status, amount_received, amount_refunded, created_at,
        updated_at, amount_disputed, reversals)
    {transfers} SELECT 'pay_' || i, 'usr_' || (i % {count}), 'top_up', 'usd_10', 1, 1, 'pi_' || i,
        1000, 'usd', 1000, 'succeeded', 1000, 0, {at}, {at}, 0, 0 FROM n
    """,
    """
    INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,
        balance_after, happened_at, created_at, payment_id, note)
    {transfers} SELECT 'payment:pay_' || i, 'top_up', 'sales', 'wallet:usr_' || (i % {count}), 1000,
        'wallet:usr_' || (i % {count}), i / {count} + 1, 1000 * (i / {count} + 1), {at}, {at},
        'pay_' || i, '' FROM n
    """,
    """
    UPDATE ledger_accounts SET
        version = (SELECT COUNT(*) FROM ledger_transfers t WHERE t.wallet = ledger_accounts.id),
        balance = 1000 * (SELECT COUNT(*) FROM ledger_transfers t
                          WHERE t.wallet = ledger_accounts.id)
    WHERE id LIKE 'wallet:usr%' AND version = 0
    """,
    """
    INSERT INTO stripe_events (id, type, livemode, created, received_at, payload, state, attempts,
        object_id)
    {transfers} SELECT 'evt_' || i, CASE WHEN i % 3 = 0 THEN 'payment_intent.payment_failed'
        ELSE 'payment_intent.succeeded' END, {no}, {at}, {at}, '{}',
        CASE WHEN i % 100 = 1 THEN 'failed' ELSE 'handled' END, 1, 'pi_' || i FROM n
    """,
    """
    INSERT INTO jobs (key, kind, args, run_at, attempts, created_at, done_at, given_up_at)
    {transfers} SELECT 'mail_receipt:pay_' || i, 'mail_receipt', '{}', {at}, 1, {at},
        CASE WHEN i % 10 < 8 THEN {at} END, CASE WHEN i % 10 = 8 THEN {at} END FROM n
    """,
    """
    INSERT INTO stripe_prices (id, product_id, plan, interval, amount, currency, current, seen_at)
    {customers} SELECT 'price_many', 'prod_many', 'premium_plan', 'monthly', 4900, 'usd', {no}, {at}
        FROM n WHERE i = 0
    """,
    """
    INSERT INTO subscriptions (id, user_id, stripe_subscription_id, stripe_item_id, stripe_price_id,
        stripe_product_id, plan, interval, quantity, status, current_period_start,
        current_period_end, cancel_at_period_end, started_at, version, created_at, updated_at)
    {customers} SELECT 's_' || i, 'usr_' || i, 'sub_' || i, 'si_' || i, 'price_many', 'prod_many',
        'premium_plan', 'monthly', 1, 'active', {at}, {at}, {no}, {at}, 1, {at}, {at} FROM n
        WHERE i % 5 = 0
    """,
    """
    INSERT INTO audit_entries (at, who, address, action, subject, reason)
    {customers} SELECT {at}, 'olga@example.com', '192.0.2.7', 'credits_granted', 'usr_' || i,
        'sorry' FROM n
    """,
)
