"""Who disputes a payment can be barred from buying, from spending, or from both, until the dispute
is settled; as the setting BAR_ON_DISPUTE says."""

from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import ledger
from storefront.config import BarOnDispute
from storefront.errors import Disputed
from storefront.ledger import Transfer
from storefront.money import format_money
from storefront.reversals.tables import Dispute

Act = Literal["top_up", "spend"]
_CANNOT: dict[Act, str] = {
    "top_up": "nothing more can be bought",
    "spend": "credits cannot be spent",
}


def refuse_top_up(session: Session, bar: BarOnDispute, user_id: str) -> None:
    """Raises Disputed when this customer may not buy now."""
    _refuse(session, bar, user_id, "top_up")


def spend(
    session: Session, bar: BarOnDispute, user_id: str, credits: int, *, id: str, note: str = ""
) -> Transfer:
    """Take `credits` from a wallet for something used, if the customer may spend now. The same id
    again is the same transfer, also when a dispute was opened meanwhile. Raises Disputed, and what
    ledger.spend() raises; then nothing has moved."""
    if ledger.find_transfer(session, id) is None:
        _refuse(session, bar, user_id, "spend")
    return ledger.spend(session, user_id, credits, id=id, note=note)


def _refuse(session: Session, bar: BarOnDispute, user_id: str, act: Act) -> None:
    if bar not in (act, "both"):
        return
    unsettled = select(Dispute).where(Dispute.user_id == user_id, Dispute.closed_at.is_(None))
    dispute = next((it for it in session.scalars(unsettled) if it.open), None)
    if dispute is not None:
        money = format_money(dispute.amount, dispute.currency)
        raise Disputed(
            f"Your bank disputes a payment of {money}. Until that is settled {_CANNOT[act]}."
        )
