"""Credits, in double entry: every transfer takes from one account what it gives to another.

The verbs: transfer() and transfer_all() move credits, spend() refuses to go below zero,
take_back() and give_back() follow money that went back, expire_due() takes what has expired,
balance() and history() read, seal() and verify() guard, settle_at_once() is the hot path of the
webhook. Only movements declared in `movements.py` exist. A mistake is corrected by another
transfer: rows are never changed, the database itself refuses it.
"""

from storefront.ledger.clawback import credits_taken_back, give_back, take_back
from storefront.ledger.discrepancy import Discrepancy
from storefront.ledger.expiry import expire_due
from storefront.ledger.hot_path import PaidEvent, Settlement, settle_at_once, settle_in_steps
from storefront.ledger.lots import expiring
from storefront.ledger.movements import MOVEMENTS, Movement
from storefront.ledger.reading import balance, find_transfer, history, sizes
from storefront.ledger.sealing import seal
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
    "credits_taken_back",
    "expire_due",
    "expiring",
    "find_transfer",
    "give_back",
    "history",
    "seal",
    "settle_at_once",
    "settle_in_steps",
    "sizes",
    "spend",
    "take_back",
    "transfer",
    "transfer_all",
    "verify",
    "wallet_id",
]
