"""What verifying finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Discrepancy:
    """One account of the books that does not add up, and how."""

    account: str
    finding: str
