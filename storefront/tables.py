"""All tables in one place, for migrations and for whoever must know every one of them."""

from storefront.admin.days import DayFigures
from storefront.attempts import Attempt
from storefront.auditing import AuditEntry
from storefront.catching_up import CatchUp, EventWalk
from storefront.checkouts import Checkout
from storefront.inbox import StripeEvent
from storefront.jobs import Job, ScheduleRun
from storefront.ledger import Account, Lot, LotUse, Seal, Transfer
from storefront.payments import Payment
from storefront.prices import StripeObject, StripePrice
from storefront.reconciling import Reconciliation
from storefront.refunding import RefundOrder
from storefront.reversals import Dispute, FraudWarning, InvoiceClaim, Refund
from storefront.sessions import EndedSession
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from storefront.users import User

ALL = (
    User, EndedSession, Payment, StripeEvent, Account, Transfer, Lot, LotUse, Seal, Job, Attempt,
    ScheduleRun,
    Subscription, Invoice, PlanCredit, Checkout, StripePrice, StripeObject,
    EventWalk, CatchUp, Refund, Dispute, FraudWarning, InvoiceClaim, RefundOrder, AuditEntry,
    DayFigures,
    Reconciliation,
)  # fmt: skip
