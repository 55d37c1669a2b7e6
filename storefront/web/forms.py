"""Forms: what people type, checked for presence here; what it means is the nouns' business."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

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
