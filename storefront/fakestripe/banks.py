"""Test bank accounts: SEPA debit by IBAN, US bank account by routing and account number."""

from __future__ import annotations

from dataclasses import dataclass

from .behaviour import LATE_SECONDS, SOON_SECONDS, Behaviour, Decline, Settlement

ACH_ROUTING_NUMBER = "110000000"

_DEBIT_FAILED = Decline(
    "generic_decline", "The bank account could not be debited: the debit was returned."
)
_NO_MONEY = Decline(
    "insufficient_funds", "The bank account has insufficient funds to complete the payment."
)


@dataclass(frozen=True)
class TestAccount:
    """One account; `number` is an IBAN or a US account number."""

    __test__ = False  # its name must not make pytest collect it

    type: str
    number: str
    title: str
    behaviour: Behaviour
    ids: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name under which a payment method remembers its account."""
        return self.number


def _settles(seconds: int | None, decline: Decline | None = None) -> Behaviour:
    return Behaviour(settlement=Settlement(seconds, decline))


ACCOUNTS: tuple[TestAccount, ...] = (
    TestAccount("sepa_debit", "AT611904300234573201", "Succeeds", _settles(SOON_SECONDS)),
    TestAccount(
        "sepa_debit", "AT861904300235473202", "Fails", _settles(SOON_SECONDS, _DEBIT_FAILED)
    ),
    # Not among the test accounts that Stripe documents: its CLI pays with it to have a failure.
    TestAccount(
        "sepa_debit", "IT60X0542811101000000123456", "Fails",
        _settles(SOON_SECONDS, _DEBIT_FAILED),
    ),
    TestAccount(
        "sepa_debit", "AT321904300235473204", "Succeeds after 3 minutes", _settles(LATE_SECONDS)
    ),
    TestAccount(
        "sepa_debit", "AT051904300235473205", "Fails after 3 minutes",
        _settles(LATE_SECONDS, _DEBIT_FAILED),
    ),
    TestAccount(
        "us_bank_account", "000123456789", "Succeeds", _settles(SOON_SECONDS),
        ("pm_usBankAccount_success", "pm_usBankAccount"),
    ),
    TestAccount(
        "us_bank_account", "000222222227", "Fails: insufficient funds",
        _settles(SOON_SECONDS, _NO_MONEY), ("pm_usBankAccount_insufficientFunds",),
    ),
    TestAccount(
        "us_bank_account", "000000000009", "Stays in processing", _settles(None),
        ("pm_usBankAccount_processing",),
    ),
)  # fmt: skip

BY_KEY = {account.key: account for account in ACCOUNTS}
BY_ID = {id: account for account in ACCOUNTS for id in account.ids}


def iban_valid(iban: str) -> bool:
    """Tell whether an IBAN's check digits are right."""
    if not (iban.isascii() and iban.isalnum() and 15 <= len(iban) <= 34):
        return False
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
