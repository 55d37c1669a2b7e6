"""Forms: what people type, checked for presence here; what it means is the nouns' business."""

import re
from collections.abc import Container, Iterable

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from storefront.catalog import Catalog
from storefront.errors import BadInput
from storefront.users import MAXIMUM_PASSWORD_LENGTH, MINIMUM_PASSWORD_LENGTH

LONGEST_ADDRESS = 254
"""RFC 5321, section 4.5.3.1.3."""

_length = Length(
    MINIMUM_PASSWORD_LENGTH,
    MAXIMUM_PASSWORD_LENGTH,
    f"Choose {MINIMUM_PASSWORD_LENGTH} to {MAXIMUM_PASSWORD_LENGTH} characters.",
)
_hint = f"At least {MINIMUM_PASSWORD_LENGTH} characters. A sentence is easiest to remember."


def _email_field() -> EmailField:
    return EmailField(
        "Email",
        [InputRequired("Enter your e-mail address."), Length(max=LONGEST_ADDRESS)],
        filters=[lambda text: text.strip() if text else text],
        render_kw={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"},
    )


class RegisterForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    email = _email_field()
    password = PasswordField(
        "Password",
        [InputRequired("Choose a password."), _length],
        description=_hint,
        render_kw={"autocomplete": "new-password"},
    )


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = _email_field()
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(FlaskForm):  # type: ignore[misc]
    current = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        [InputRequired("Choose a new password."), _length],
        description=_hint,
        render_kw={"autocomplete": "new-password"},
    )


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class CheckoutForm(FlaskForm):  # type: ignore[misc]
    """What to buy: a plan, the interval of its price, and how many where that can be chosen."""

    plan = StringField()
    interval = StringField()
    quantity = StringField()

    def interval_of(self, catalog: Catalog) -> str:
        """The interval; where the plan has one price only, it need not be sent."""
        plan = catalog.plan(self.plan.data)
        only = plan.prices[0].interval if len(plan.prices) == 1 else ""
        return self.interval.data or only

    def how_many(self) -> int:
        """One, unless sent otherwise. Raises BadInput."""
        given = (self.quantity.data or "1").strip()
        if not re.fullmatch(r"[0-9]{1,4}", given, re.ASCII):
            raise BadInput("The quantity must be a whole number, such as 1.")
        return int(given)


class PortalForm(FlaskForm):  # type: ignore[misc]
    """What to do in the portal: an action, a change to a plan and interval, or anything."""

    plan = StringField()
    interval = StringField()
    action = StringField()


def only_known(sent: Iterable[str], *known: str) -> None:
    """Refuse fields that no form of ours has (a price, say) rather than pass over them.
    Raises BadInput that names what may be sent."""
    allowed: Container[str] = {"csrf_token", *known}
    if any(name not in allowed for name in sent):
        raise BadInput(f"Send {', '.join(known)} and nothing else; prices are the shop's.")
