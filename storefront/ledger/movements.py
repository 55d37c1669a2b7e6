"""The movements that exist. A transfer whose code is not declared here cannot be written."""

from dataclasses import dataclass
from typing import Literal

SYSTEM_ACCOUNTS = ("sales", "granted", "spent", "refunds", "disputes", "expired", "adjustments")


@dataclass(frozen=True)
class Movement:
    """`direction` is seen from the wallet; `account` is the system account on the other side.

    A movement out of a wallet stops at zero unless `may_owe` is set.
    """

    code: str
    direction: Literal["in", "out"]
    account: str
    says: str
    may_owe: bool = False


_DECLARED = (
    Movement("top_up", "in", "sales", says="Credits bought"),
    Movement("purchase", "in", "sales", says="Credits of your purchase"),
    Movement("plan_grant", "in", "granted", says="Credits of your plan"),
    Movement("spend", "out", "spent", says="Credits spent"),
    Movement("expiry", "out", "expired", says="Credits expired"),
    Movement("refund", "out", "refunds", says="Refund", may_owe=True),
    Movement("refund_reversed", "in", "refunds", says="Refund failed, credits returned"),
    Movement("dispute", "out", "disputes", says="Payment disputed", may_owe=True),
    Movement("dispute_reversed", "in", "disputes", says="Dispute settled, credits returned"),
    Movement("adjustment_in", "in", "adjustments", says="Correction, credits added"),
    Movement("adjustment_out", "out", "adjustments", says="Correction", may_owe=True),
)

MOVEMENTS = {movement.code: movement for movement in _DECLARED}
