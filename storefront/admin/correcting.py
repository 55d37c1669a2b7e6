"""Granting credits by hand, and taking them back: one form is one transfer."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from storefront import ledger, users
from storefront.auditing import LONGEST_REASON, Actor, record
from storefront.db import transaction, utcnow
from storefront.errors import BadInput
from storefront.ids import new_id
from storefront.ledger import Transfer
from storefront.rehearsal import rehearse

Direction = Literal["add", "take"]
CODES: dict[str, str] = {"add": "adjustment_in", "take": "adjustment_out"}
CREDITS = re.compile(r"[0-9]{1,9}", re.ASCII)
FORM_ID = re.compile(r"adj_[0-9a-f]{32}")


@dataclass(frozen=True)
class Correction:
    """Credits to add to a wallet, or to take from it, and why. Credits that are added may expire.
    What is taken beyond the balance is owed."""

    form_id: str
    user_id: str
    direction: Direction
    credits: int
    reason: str
    expires_at: datetime | None = None

    @property
    def order(self) -> ledger.Order:
        return ledger.Order(
            id=transfer_id(self.form_id),
            code=CODES[self.direction],
            user_id=self.user_id,
            credits=self.credits,
            note=self.reason,
            expires_at=self.expires_at,
        )


def new_form_id() -> str:
    """For a form: it carries the id, so that sending it twice is one transfer."""
    return new_id("adj")


def is_done(session: Session, form_id: str) -> bool:
    """Whether this form has made its transfer."""
    known = FORM_ID.fullmatch(form_id) and ledger.find_transfer(session, transfer_id(form_id))
    return bool(known)


def transfer_id(form_id: str) -> str:
    return f"adjustment:{form_id}"


def read(
    form_id: str,
    user_id: str,
    direction: str,
    credits: str,
    reason: str,
    expires_at: datetime | None,
) -> Correction:
    """What the form says. Raises BadInput."""
    if not FORM_ID.fullmatch(form_id):
        raise BadInput("This form is not one of ours. Open the customer and begin again.")
    if direction not in CODES:
        raise BadInput("Choose whether to add credits or to take them.")
    typed = credits.strip().replace(",", "")
    if not CREDITS.fullmatch(typed) or int(typed) == 0:
        raise BadInput("Write the credits as a whole number above zero, such as 500.")
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON or not why.isprintable():
        raise BadInput(
            f"Say why, in at most {LONGEST_REASON} plain characters: the customer sees it."
        )
    if expires_at is not None and (direction == "take" or expires_at <= utcnow()):
        raise BadInput("Only credits that are added can expire, on a day that is still to come.")
    kind: Direction = "add" if direction == "add" else "take"
    return Correction(form_id, user_id, kind, int(typed), why, expires_at)


def preview(correction: Correction) -> tuple[int, int]:
    """The balance before and after, by doing it and undoing it."""

    def act(session: Session) -> tuple[int, int]:
        before = ledger.balance(session, correction.user_id)
        ledger.transfer(session, correction.order)
        return before, ledger.balance(session, correction.user_id)

    return rehearse(act)[0]


def correct(actor: Actor, correction: Correction) -> Transfer:
    """Do it, once per form. Raises NotFound, TransferConflict when the form did another thing."""
    users.find(correction.user_id)
    order = correction.order
    with transaction() as session:
        # The customer's lock first: of two who send one form at once, the second finds it done.
        users.lock(session, correction.user_id)
        done = ledger.find_transfer(session, order.id) is not None
        before = ledger.balance(session, correction.user_id)
        made = ledger.transfer(session, order)
        if not done:
            action = "credits_granted" if correction.direction == "add" else "credits_taken"
            record(
                session,
                actor,
                action,
                correction.user_id,
                before={"balance": before},
                after={"balance": made.balance_after, "transfer": made.id},
                reason=correction.reason,
            )
    return made
