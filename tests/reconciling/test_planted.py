"""One corruption at a time is planted behind the shop's back: `flask ledger verify` or `flask
reconcile` names exactly it. What can be repaired is repaired, and nothing differs then."""

from collections.abc import Iterator
from dataclasses import dataclass

from storefront import ledger
from storefront.db import db, utc_text, utcnow
from tests.support import books
from tests.support.at_checkout import buys
from tests.support.builders import Customer, a_user
from tests.support.caught_up import KEY, catches_up
from tests.support.compared import kinds, subscribes
from tests.support.money_back import rows
from tests.support.served import ServedShop
from tests.support.tampering import put_back, tamper
from tests.support.thoroughness import shared_out

TABLES = (
    "payments", "refunds", "disputes", "subscriptions", "invoices", "plan_credits",
    "ledger_accounts", "ledger_transfers", "jobs",
)  # fmt: skip

ON_BOTH = {
    "a deleted transfer", "a changed amount", "a missing payment", "an extra credit that adds up",
    "a stale subscription",
}  # fmt: skip
"""Planted on each database; of the others each is planted on one, and in a thorough run on both."""

NOTHING: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class World:
    """A shop whose books agree with Stripe's, and the names of what is in it."""

    shop: ServedShop
    ada: Customer
    eve: Customer
    unpaid: Customer
    refund: str
    dispute: str
    subscription: str

    def value(self, column: str, table: str, where: str) -> str:
        with self.shop.app.app_context():
            found: str = db.session.scalar(db.text(f"SELECT {column} FROM {table} WHERE {where}"))
        return found

    def payment(self, pack: str) -> tuple[str, str]:
        """Our id and Stripe's of what was bought or tried."""
        where = f"pack_or_plan = '{pack}'"
        return (
            self.value("id", "payments", where),
            self.value("stripe_intent_id", "payments", where),
        )


@dataclass(frozen=True)
class Plant:
    """What is done to the database, and what must be said: `found` by reconcile, `wallet` of whom
    by verify. Where neither says anything, nothing was planted."""

    name: str
    statements: tuple[str, ...]
    found: set[tuple[str, str]]
    wallet: Customer | None = None
    repairable: bool = False


def a_world(shop: ServedShop) -> World:
    shop.apply_catalog()
    ada, eve, unpaid = shop.a_buyer(), a_user(shop.app, stripe_id=None), shop.a_buyer()
    refunded, disputed = shop.buys(ada, "usd_10", KEY), shop.buys(ada, "usd_20", f"{KEY}-2")
    shop.buys(unpaid, "usd_5", KEY, card="pm_card_visa_chargeDeclined")
    buys(shop.app, eve, "standard_pack")
    subscription = subscribes(shop, eve)
    intents = {id: row["stripe_intent_id"] for id, row in books.read(shop.app).payments.items()}
    shop.stripe.control(f"payments/{intents[refunded]}/refund", {"amount": 300})
    shop.stripe.control(f"payments/{intents[disputed]}/dispute", {})
    catches_up(shop.app)
    shop.work_once()
    (refund,), (dispute,) = rows(shop.app, "refunds"), rows(shop.app, "disputes")
    return World(shop, ada, eve, unpaid, refund, dispute, subscription)


def of_payments(world: World) -> Iterator[Plant]:
    paid, intent = world.payment("usd_10")
    tried, open_intent = world.payment("usd_5")
    bought, bought_by = world.payment("standard_pack")
    yield Plant(
        "a payment is forgotten to be paid",
        (f"UPDATE payments SET status = 'processing', amount_received = 0 WHERE id = '{paid}'",),
        {("paid_not_credited", intent)},
        repairable=True,
    )
    yield Plant(
        "a missing payment",
        (f"DELETE FROM payments WHERE id = '{paid}'",),
        {("unknown_to_us", intent)},
    )
    yield Plant(
        "a changed amount",
        (f"UPDATE payments SET amount_received = 999 WHERE id = '{paid}'",),
        {("amount_differs", intent)},
        repairable=True,
    )
    yield Plant(
        "a changed sum of refunds",
        (f"UPDATE payments SET amount_refunded = 0 WHERE id = '{paid}'",),
        {("amount_differs", intent)},
        repairable=True,
    )
    yield Plant(
        "an unpaid payment is said to be paid",
        (f"UPDATE payments SET status = 'succeeded' WHERE id = '{tried}'",),
        {("credited_not_paid", open_intent)},
    )
    yield Plant(
        "an open payment is said to be canceled",
        (f"UPDATE payments SET status = 'canceled' WHERE id = '{tried}'",),
        {("status_differs", open_intent)},
        repairable=True,
    )
    yield Plant(
        "a payment that Stripe has never heard of",
        (f"UPDATE payments SET stripe_intent_id = 'pi_forged' WHERE id = '{tried}'",),
        {("unknown_to_stripe", "pi_forged")},
    )
    yield Plant(
        "a paid payment without an intent",
        (
            "UPDATE payments SET stripe_intent_id = NULL, status = 'succeeded'"
            f" WHERE id = '{tried}'",
        ),
        {("credited_not_paid", open_intent), ("unknown_to_stripe", tried)},
    )
    yield Plant(
        "a purchase that is not recorded",
        (
            f"UPDATE payments SET status = 'processing' WHERE id = '{bought}'",
            f"DELETE FROM ledger_transfers WHERE id = 'payment:{bought}'",
        ),
        {("paid_not_credited", bought_by)},
        wallet=world.eve,
        repairable=True,
    )


def of_transfers(world: World) -> Iterator[Plant]:
    paid, intent = world.payment("usd_10")
    wallet = ledger.wallet_id(world.unpaid.id)
    yield Plant(
        "a deleted transfer",
        (f"DELETE FROM ledger_transfers WHERE id = 'payment:{paid}'",),
        {("paid_not_credited", intent)},
        wallet=world.ada,
        repairable=True,
    )
    yield Plant(
        "a changed transfer",
        (f"UPDATE ledger_transfers SET credits = 1001 WHERE id = 'payment:{paid}'",),
        {("amount_differs", intent)},
        wallet=world.ada,
    )
    yield Plant(
        "an extra credit that adds up",
        (
            "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
            f" VALUES ('{wallet}', 'wallet', '{world.unpaid.id}', 5000, 1)",
            _forged("payment:pay_forged", "top_up", "sales", wallet, wallet, 5000),
        ),
        {("credited_not_paid", "payment:pay_forged")},
    )
    yield Plant(
        "credits taken for no refund",
        (
            "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
            f" VALUES ('{wallet}', 'wallet', '{world.unpaid.id}', -5000, 1)",
            _forged("refund:re_forged", "refund", wallet, "refunds", wallet, -5000),
        ),
        {("taken_not_refunded", "refund:re_forged")},
    )
    yield Plant(
        "the transfer of a refund is changed",
        (f"UPDATE ledger_transfers SET credits = 1 WHERE id = 'refund:{world.refund}'",),
        {("amount_differs", world.refund)},
        wallet=world.ada,
    )
    grant = world.value("id", "ledger_transfers", "code = 'plan_grant'")
    yield Plant(
        "the credits of a period are deleted",
        (
            f"DELETE FROM ledger_transfers WHERE id = '{grant}'",
            f"DELETE FROM ledger_lots WHERE id = '{grant}'",
        ),
        {("paid_not_credited", world.value("id", "invoices", "1 = 1"))},
        wallet=world.eve,
    )


def of_money_back(world: World) -> Iterator[Plant]:
    refund, dispute = world.refund, world.dispute
    yield Plant(
        "a missing refund",
        (f"DELETE FROM refunds WHERE id = '{refund}'",),
        {("refund_missing", refund)},
        repairable=True,
    )
    yield Plant(
        "a refund that failed here alone",
        (f"UPDATE refunds SET status = 'failed' WHERE id = '{refund}'",),
        {("refund_missing", refund)},
    )
    yield Plant(
        "a refund that is late",
        (f"UPDATE refunds SET status = 'pending' WHERE id = '{refund}'",),
        {("status_differs", refund)},
        repairable=True,
    )
    yield Plant(
        "a refund of another amount",
        (f"UPDATE refunds SET amount = 299 WHERE id = '{refund}'",),
        {("amount_differs", refund)},
    )
    yield Plant(
        "a refund that Stripe never made",
        (f"UPDATE refunds SET id = 're_forged' WHERE id = '{refund}'",),
        {("refund_missing", refund), ("unknown_to_stripe", "re_forged")},
    )
    yield Plant(
        "a missing dispute",
        (f"DELETE FROM disputes WHERE id = '{dispute}'",),
        {("dispute_missing", dispute)},
        repairable=True,
    )
    yield Plant(
        "a dispute whose money did not move",
        (f"UPDATE disputes SET withdrawn = 0 WHERE id = '{dispute}'",),
        {("dispute_missing", dispute)},
    )


def of_plans(world: World) -> Iterator[Plant]:
    invoice = world.value("id", "invoices", "1 = 1")
    yield Plant(
        "a stale subscription",
        ("UPDATE subscriptions SET status = 'past_due', quantity = 2",),
        {("subscription_differs", world.subscription)},
        repairable=True,
    )
    yield Plant(
        "a missing subscription",
        ("DELETE FROM subscriptions",),
        {("unknown_to_us", world.subscription)},
        repairable=True,
    )
    yield Plant(
        "an invoice that was not credited",
        (
            "UPDATE invoices SET status = 'open', credited_at = NULL",
            "DELETE FROM plan_credits",
        ),
        {("paid_not_credited", invoice)},
        repairable=True,
    )
    yield Plant(
        "an invoice of another amount",
        ("UPDATE invoices SET amount_paid = 1",),
        {("amount_differs", invoice)},
        repairable=True,
    )
    yield Plant(
        "an invoice that was written off here",
        ("UPDATE invoices SET status = 'uncollectible'",),
        {("invoice_differs", invoice)},
        repairable=True,
    )
    yield Plant(
        "an invoice that Stripe never made",
        (f"UPDATE invoices SET id = 'in_forged' WHERE id = '{invoice}'",),
        {("paid_not_credited", invoice), ("unknown_to_stripe", "in_forged")},
    )


def test_what_is_planted_is_named_exactly(deaf: ServedShop) -> None:
    world = a_world(deaf)
    assert (set(kinds(deaf.app)), verified(world)) == (NOTHING, [])
    plants = [*of_payments(world), *of_transfers(world), *of_money_back(world), *of_plans(world)]
    others = shared_out([it for it in plants if it.name not in ON_BOTH], deaf.app)
    for plant in [*(it for it in plants if it.name in ON_BOTH), *others]:
        with put_back(deaf.app, *TABLES, "ledger_lots"):
            tamper(deaf.app, *plant.statements)
            assert set(kinds(deaf.app)) == plant.found, plant.name
            named = {ledger.wallet_id(plant.wallet.id)} if plant.wallet else set()
            assert set(verified(world)) - {"all accounts"} == named, plant.name
            if plant.repairable:
                assert repair(world) == 0, plant.name
                assert set(kinds(deaf.app)) == NOTHING, plant.name
    assert (set(kinds(deaf.app)), verified(world)) == (NOTHING, [])


def verified(world: World) -> list[str]:
    """The accounts that `ledger verify` names."""
    with world.shop.app.app_context():
        return [found.account for found in ledger.verify(db.session())]


def repair(world: World) -> int:
    """The exit code of `flask reconcile --repair`."""
    runner = world.shop.app.test_cli_runner()
    code: int = runner.invoke(args=["reconcile", "--repair", "--min-age", "0m"]).exit_code
    return code


def _forged(id: str, code: str, source: str, target: str, wallet: str, balance: int) -> str:
    now = f"'{utc_text(utcnow())}'"
    return (
        "INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,"
        " balance_after, happened_at, created_at, note) VALUES"
        f" ('{id}', '{code}', '{source}', '{target}', 5000, '{wallet}', 1, {balance}, {now}, {now},"
        " '')"
    )
