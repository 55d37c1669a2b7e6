"""Credits, in double entry: every transfer takes from one account what it gives to another.

The verbs: transfer() and transfer_all() move credits, spend() refuses to go below zero,
expire_due() takes back what has expired, balance() and history() read, verify() recomputes
everything, settle_payment() is the hot path of the webhook. Only movements declared in
`movements.py` exist. A mistake is corrected by another transfer: rows are never changed, the
database itself refuses it.
"""

from storefront.ledger.discrepancy import Discrepancy
from storefront.ledger.expiry import expire_due
from storefront.ledger.hot_path import PaidEvent, Settlement, settle_payment
from storefront.ledger.lots import expiring
from storefront.ledger.movements import MOVEMENTS, Movement
from storefront.ledger.reading import balance, find_transfer, history, sizes
from storefront.ledger.tables import Account, Lot, LotUse, Seal, Transfer, wallet_id
from storefront.ledger.verification import verify
from storefront.ledger.writing import Order, spend, transfer, transfer_all

__all__ = [
    "MOVEMENTS",
    "Account",
    "Discrepancy",
    "Lot",
    "LotUse",
    "Movement",
    "Order",
    "PaidEvent",
    "Seal",
    "Settlement",
    "Transfer",
    "balance",
    "expire_due",
    "expiring",
    "find_transfer",
    "history",
    "settle_payment",
    "sizes",
    "spend",
    "transfer",
    "transfer_all",
    "verify",
    "wallet_id",
]
