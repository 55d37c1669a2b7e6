"""What a check says: how bad it is, what was found, and what mends it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "warning", "failure"]
EXIT_CODES: dict[Severity, int] = {"ok": 0, "warning": 1, "failure": 2}


@dataclass(frozen=True)
class Finding:
    """`mend` is a command, or what else to do; empty when all is well."""

    severity: Severity
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Named:
    """A finding and the name of its check."""

    check: str
    finding: Finding


class NotLookedAt(Exception):
    """Raised by a check that cannot look because of what another check tells."""


def ok(found: str) -> Finding:
    return Finding("ok", found)


def warning(found: str, mend: str) -> Finding:
    return Finding("warning", found, mend)


def failure(found: str, mend: str) -> Finding:
    return Finding("failure", found, mend)


def worst(findings: list[Named]) -> Severity:
    """The severity of the whole."""
    return max((each.finding.severity for each in findings), key=EXIT_CODES.__getitem__)
