"""Writing down what a card's issuer suspects."""

import logging

from sqlalchemy.orm import Session

from storefront.reversals import sources
from storefront.reversals.tables import FraudWarning
from storefront.stripe_gateway import FraudWarningFacts

log = logging.getLogger(__name__)


def apply_warning(session: Session, facts: FraudWarningFacts) -> FraudWarning | None:
    """Record an early fraud warning: the one function for this effect. It moves nothing. Once there
    is nothing to do about it (the payment was refunded or disputed), it stays so.

    Returns None for a warning about what is unknown here.
    """
    source = sources.find(session, facts.intent_id)
    if source is None:
        return None
    warning = session.get(FraudWarning, facts.id, populate_existing=True)
    if warning is None:
        ours = source.payment_id or source.invoice_id
        log.warning("early fraud warning %s about %s: %s", facts.id, ours, facts.fraud_type)
        warning = FraudWarning(
            id=facts.id,
            payment_id=source.payment_id,
            invoice_id=source.invoice_id,
            user_id=source.user_id,
            stripe_charge_id=facts.charge_id,
            fraud_type=facts.fraud_type,
            actionable=True,
            created_at=facts.created,
        )
        session.add(warning)
    warning.actionable = warning.actionable and facts.actionable
    session.flush()
    return warning
