"""The ledger's tables: accounts, transfers, the lots of credits that expire, and the seals."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, utcnow


def wallet_id(user_id: str) -> str:
    """The account id of a user's wallet."""
    return f"wallet:{user_id}"


class Account(Base):
    """A wallet, or one of the system accounts.

    Only wallets carry a materialised balance: a balance row that all writers share would be one
    hot row (measured: a quarter of the throughput), so system accounts are summed when asked.
    `version` counts the wallet's transfers.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'wallet') = (user_id IS NOT NULL)"
            " AND (kind = 'wallet') = (balance IS NOT NULL)"
            " AND (kind = 'wallet') = (version IS NOT NULL)",
            name="wallets_have_user_balance_version",
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"), unique=True)
    balance: Mapped[int | None] = mapped_column(Whole)
    version: Mapped[int | None] = mapped_column(Whole)


class Transfer(Base):
    """`credits` moved from `source` to `target`, once and for ever.

    `id` is the idempotency key, chosen by the caller. `wallet`, `wallet_version` and
    `balance_after` say which wallet was moved, its how-manieth transfer this is, and what it held
    afterwards: history pages and running balances are read straight off the rows.
    """

    __tablename__ = "ledger_transfers"
    __table_args__ = (
        CheckConstraint("credits > 0", name="credits_positive"),
        CheckConstraint("source <> target", name="source_is_not_target"),
        CheckConstraint("wallet IN (source, target)", name="wallet_is_a_side"),
        UniqueConstraint("wallet", "wallet_version", name="uq_ledger_transfers_wallet_version"),
        Index(
            "ix_ledger_transfers_payment",
            "payment_id",
            postgresql_where=text("payment_id IS NOT NULL"),
            sqlite_where=text("payment_id IS NOT NULL"),
        ),
        Index("ix_ledger_transfers_created_at", "created_at", "id"),  # the lists of operators
        Index("ix_ledger_transfers_code", "code", "created_at", "id"),
        {"sqlite_strict": True},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text, ForeignKey("ledger_accounts.id"))
    target: Mapped[str] = mapped_column(Text, ForeignKey("ledger_accounts.id"))
    credits: Mapped[int] = mapped_column(Whole)
    wallet: Mapped[str] = mapped_column(Text, ForeignKey("ledger_accounts.id"))
    wallet_version: Mapped[int] = mapped_column(Whole)
    balance_after: Mapped[int] = mapped_column(Whole)
    happened_at: Mapped[datetime] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    note: Mapped[str] = mapped_column(Text, default="")

    @property
    def signed_credits(self) -> int:
        """Positive when the wallet received."""
        return self.credits if self.target == self.wallet else -self.credits


class Lot(Base):
    """Credits of one wallet that expire together at `expires_at`, brought by the transfer whose id
    is the lot's. `remaining` is what no use has taken yet: it is `credits` less its uses.

    Credits that never expire are in no lot: they are the balance less what remains in lots.
    """

    __tablename__ = "ledger_lots"
    __table_args__ = (
        CheckConstraint("credits > 0", name="lot_credits_positive"),
        CheckConstraint("remaining >= 0 AND remaining <= credits", name="remaining_is_a_part"),
        Index(
            "ix_ledger_lots_wallet",
            "wallet",
            "expires_at",
            postgresql_where=text("remaining > 0"),
            sqlite_where=text("remaining > 0"),
        ),
        Index(
            "ix_ledger_lots_expires_at",
            "expires_at",
            postgresql_where=text("remaining > 0"),
            sqlite_where=text("remaining > 0"),
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[str] = mapped_column(Text, ForeignKey("ledger_transfers.id"), primary_key=True)
    wallet: Mapped[str] = mapped_column(Text, ForeignKey("ledger_accounts.id"))
    credits: Mapped[int] = mapped_column(Whole)
    remaining: Mapped[int] = mapped_column(Whole)
    expires_at: Mapped[datetime] = mapped_column(Utc)


class LotUse(Base):
    """`credits` of a lot that a transfer took: a spend, the lot's expiry, or the lot's own grant,
    where it paid a debt. Append-only, as transfers are."""

    __tablename__ = "ledger_lot_uses"
    __table_args__ = (
        CheckConstraint("credits > 0", name="use_credits_positive"),
        Index("ix_ledger_lot_uses_lot", "lot_id"),
        {"sqlite_strict": True},
    )

    transfer_id: Mapped[str] = mapped_column(
        Text, ForeignKey("ledger_transfers.id"), primary_key=True
    )
    lot_id: Mapped[str] = mapped_column(Text, ForeignKey("ledger_lots.id"), primary_key=True)
    credits: Mapped[int] = mapped_column(Whole)


class Seal(Base):
    """What a transfer was when it was sealed: `hash` covers its row and the hash of the seal
    before it, so that each wallet's seals are a chain. Append-only, as transfers are.

    No foreign key: a seal outlives its transfer, and so shows that it is gone.
    """

    __tablename__ = "ledger_seals"
    __table_args__ = STRICT

    wallet: Mapped[str] = mapped_column(Text, primary_key=True)
    wallet_version: Mapped[int] = mapped_column(Whole, primary_key=True)
    transfer_id: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
