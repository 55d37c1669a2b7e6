"""Customers: their table, password verbs, and the link to the Stripe customer."""

import threading
import unicodedata
from datetime import datetime
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Index, Text, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, db, transaction, utcnow
from storefront.errors import BadInput, NotFound, StripeFailed, StripeRefused
from storefront.ids import new_id
from storefront.stripe_gateway import StripeGateway

MINIMUM_PASSWORD_LENGTH = 8
MAXIMUM_PASSWORD_LENGTH = 200
CONCURRENT_HASHES = 2
"""One hash takes 64 MiB for about 100 ms; more at once would only use memory (ASVS 6.2)."""

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(CONCURRENT_HASHES)
_nobodys_hash = (
    "$argon2id$v=19$m=65536,t=3,p=4$94iIF9PjAGSABWVbkHn"
    "Brg$WKn9x35y8LFeRqRPr9yZpOy+2lKbMcs/q5k3u8cP3v0"
)
"""Of the same cost as everybody's, for whoever signs in to an account that does not exist. Written
down, because making it would slow every start of every process."""


class User(Base):
    """A customer. `session_version` is part of every session: raising it ends them all.
    `stripe_customer_attempt` is part of the idempotency key that makes the Stripe customer.
    `analytics_consent` is None until the customer has chosen; `analytics_client_id` is the random
    name under which purchases are then reported."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_created_at", "created_at", "id"),
        # For addresses that begin with something; PostgreSQL's other index knows no prefixes.
        Index("ix_users_email_prefix", "email", postgresql_ops={"email": "text_pattern_ops"}),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    stripe_customer_id: Mapped[str | None] = mapped_column(Text, unique=True)
    stripe_customer_attempt: Mapped[int] = mapped_column(Whole, default=1)
    is_admin: Mapped[bool] = mapped_column(Flag, default=False)
    session_version: Mapped[int] = mapped_column(Whole, default=1)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    analytics_consent: Mapped[bool | None] = mapped_column(Flag)
    analytics_client_id: Mapped[str | None] = mapped_column(Text)

    session_name = ""
    """Of the session that this request belongs to; no column."""

    balance = 0
    """Of the wallet, when the request began; no column."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def analytics_client(self) -> str | None:
        """The name under which purchases may be reported; None without the customer's consent."""
        return self.analytics_client_id if self.analytics_consent else None

    def get_id(self) -> str:
        """What the session cookie holds: see sessions.py."""
        return f"{self.id}:{self.session_version}:{self.session_name}"


class EmailTaken(BadInput):
    code = "email_taken"


class WrongPassword(BadInput):
    code = "wrong_password"


def lock(session: Session, user_id: str) -> None:
    """Of two transactions that open or change something of this customer's, let the second one wait
    for the first. Rows that only refer to the customer can be made meanwhile."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def register(email: str, password: str) -> User:
    """Create an account. Raises BadInput for an unusable address or password, EmailTaken."""
    address = normalise_email(email)
    password_hash = hash_password(password)
    user = User(id=new_id("usr"), email=address, password_hash=password_hash)
    try:
        with transaction() as session:
            session.add(user)
    except IntegrityError:
        raise EmailTaken("There is an account with this e-mail address. Sign in.") from None
    return user


def sign_in(email: str, password: str) -> User | None:
    """The user with this address and password, or None. An unknown address costs one hash, too,
    so that neither answer nor time tells which of the two was wrong."""
    user = find_by_email(email)
    if not password_matches(user.password_hash if user else _nobodys_hash, password):
        return None
    return user


def find_by_email(email: str) -> User | None:
    try:
        address = normalise_email(email)
    except BadInput:
        return None
    return db.session.scalar(select(User).where(User.email == address))


def find(user_id: str) -> User:
    """Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such customer.")
    return user


def change_password(user: User, current: str, new: str) -> None:
    """Set another password and end every session of this user. Raises WrongPassword, BadInput."""
    if not password_matches(user.password_hash, current):
        raise WrongPassword("The current password is not right.")
    password_hash, user_id = hash_password(new), user.id
    with transaction() as session:
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(password_hash=password_hash, session_version=User.session_version + 1)
        )


def end_sessions(user: User) -> None:
    """Sign this user out everywhere."""
    user_id = user.id
    with transaction() as session:
        session.execute(
            update(User).where(User.id == user_id).values(session_version=User.session_version + 1)
        )


def set_analytics_consent(user: User, allowed: bool) -> None:
    """Keep the customer's choice. The first yes makes a random name to report purchases under,
    which says nothing of the customer; a no forgets it, so that a later yes is somebody new."""
    user_id = user.id
    kept = func.coalesce(User.analytics_client_id, str(uuid4()))
    with transaction() as session:
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(analytics_consent=allowed, analytics_client_id=kept if allowed else None)
        )


def normalise_email(email: str) -> str:
    """The form that is stored and compared: valid, NFC, lower case. Raises BadInput."""
    try:
        valid = validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError:
        raise BadInput("Enter an e-mail address, such as name@example.com.") from None
    return unicodedata.normalize("NFC", valid.normalized).lower()


def hash_password(password: str) -> str:
    """Raises BadInput when the password is too short or too long; nothing else is demanded."""
    if not MINIMUM_PASSWORD_LENGTH <= len(password) <= MAXIMUM_PASSWORD_LENGTH:
        raise BadInput(
            f"Choose a password of {MINIMUM_PASSWORD_LENGTH} to {MAXIMUM_PASSWORD_LENGTH} "
            "characters. Any characters will do."
        )
    with _hashing:
        return _hasher.hash(unicodedata.normalize("NFC", password))


def password_matches(password_hash: str, password: str) -> bool:
    candidate = unicodedata.normalize("NFC", password[: MAXIMUM_PASSWORD_LENGTH + 1])
    with _hashing:
        try:
            return _hasher.verify(password_hash, candidate)
        except (VerificationError, InvalidHashError):
            return False


def ensure_stripe_customer(gateway: StripeGateway, user: User) -> str:
    """The user's Stripe customer id, made at Stripe once even if two requests race: both send
    the idempotency key of this user, and the column takes the first answer only.

    Customers are never looked up by e-mail: addresses at Stripe are not unique, and the finder
    of another person's customer would hold that person's cards. Raises the gateway's errors.
    """
    return user.stripe_customer_id or _create_stripe_customer(gateway, user)


def replace_stripe_customer(gateway: StripeGateway, user: User, missing: str) -> str:
    """A new Stripe customer for one that Stripe no longer knows (deleted, or other keys)."""
    with transaction() as session:
        session.execute(
            update(User)
            .where(User.id == user.id, User.stripe_customer_id == missing)
            .values(stripe_customer_id=None, stripe_customer_attempt=_NEXT_ATTEMPT)
        )
    return ensure_stripe_customer(gateway, user)


def of_stripe_customer(session: Session, customer_id: str) -> str | None:
    """The id of the user who is this customer at Stripe; None when it is nobody here."""
    return session.scalar(select(User.id).where(User.stripe_customer_id == customer_id))


def forget_stripe_customer(session: Session, customer_id: str) -> str | None:
    """Unlink a customer whom Stripe has deleted, so that the next purchase makes a new one; the
    id of the user, or None when it is nobody's."""
    return session.scalar(
        update(User)
        .where(User.stripe_customer_id == customer_id)
        .values(stripe_customer_id=None, stripe_customer_attempt=_NEXT_ATTEMPT)
        .returning(User.id)
    )


def _create_stripe_customer(gateway: StripeGateway, user: User) -> str:
    user_id, attempt = user.id, user.stripe_customer_attempt
    mine = update(User).where(User.id == user_id, User.stripe_customer_id.is_(None))
    try:
        created = gateway.create_customer(
            idempotency_key=f"customer:{user_id}:{attempt}", user_id=user_id, email=user.email
        )
    except (StripeRefused, StripeFailed):
        with transaction() as session:
            unchanged = mine.where(User.stripe_customer_attempt == attempt)
            session.execute(unchanged.values(stripe_customer_attempt=_NEXT_ATTEMPT))
        raise
    with transaction() as session:
        session.execute(mine.values(stripe_customer_id=created))
        stored = session.scalar(select(User.stripe_customer_id).where(User.id == user_id))
    assert stored is not None
    return stored


_NEXT_ATTEMPT = User.stripe_customer_attempt + 1


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0
