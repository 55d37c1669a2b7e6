"""Registering, signing in and out, and the password."""

from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required, login_user, logout_user
from flask_wtf import FlaskForm

from storefront import attempts, sessions, users
from storefront.attempts import Limit
from storefront.errors import BadInput
from storefront.users import User, WrongPassword
from storefront.web import current, proof
from storefront.web.forms import ConfirmForm, PasswordForm, RegisterForm, SignInForm
from storefront.web.pages import is_customer
from storefront.web.security import client_network, safe_next

SIGN_IN_WINDOW = timedelta(minutes=15)
FAILURES_PER_ACCOUNT = 10
FAILURES_PER_NETWORK = 100
TRIES_PER_NEW_ACCOUNT = 10
REGISTRATION_WINDOW = timedelta(hours=1)

WRONG_SIGN_IN = "This e-mail address and password do not belong together."
"""One sentence for both, so that it does not tell who has an account."""

bp = Blueprint("auth", __name__)


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """A new account, signed in at once."""
    form = RegisterForm()
    if is_customer():
        return redirect(_next(), 303)
    if not form.validate_on_submit():
        return _page("auth/register.html", form)
    attempts.take(*_registration_limits(form.email.data))
    try:
        user = users.register(form.email.data, form.password.data)
    except BadInput as refusal:
        form.email.errors = [refusal.detail]
        return _page("auth/register.html", form)
    return _start_session(user)


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """An unknown address and a wrong password get the same answer after the same work."""
    form = SignInForm()
    if is_customer():
        return redirect(_next(), 303)
    if not form.validate_on_submit():
        return _page("auth/login.html", form)
    try:
        with attempts.counting_failures(*_sign_in_limits(form.email.data)):
            user = _sign_in(form.email.data, form.password.data)
    except WrongPassword:
        return _page("auth/login.html", form, failure=WRONG_SIGN_IN, status=401)
    return _start_session(user)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End this session, for whoever has its cookie; signed out already is fine."""
    if is_customer():
        sessions.end(current.user())
    logout_user()
    session.clear()
    return redirect(url_for("home.index"), 303)


@bp.route("/account/password", methods=["GET", "POST"])
@login_required
def password() -> ResponseReturnValue:
    """Another password: every other session ends, this one is renewed."""
    form, user = PasswordForm(), current.user()
    if not form.validate_on_submit():
        return _page("auth/password.html", form)
    try:
        with attempts.counting_failures(*_sign_in_limits(user.email)):
            users.change_password(user, form.current.data, form.new.data)
    except WrongPassword as refusal:
        form.current.errors = [refusal.detail]
        return _page("auth/password.html", form)
    _renew_session(user)
    flash("Your password is changed. Every other browser has been signed out.")
    return redirect(url_for("account.index"), 303)


@bp.route("/account/confirm", methods=["GET", "POST"])
@login_required
def confirm() -> ResponseReturnValue:
    """The password once more, before something that should not be done from a browser that was
    left open."""
    form, user = ConfirmForm(), current.user()
    if not form.validate_on_submit():
        return _page("auth/confirm.html", form)
    try:
        with attempts.counting_failures(*_sign_in_limits(user.email)):
            _prove(user, form.password.data)
    except WrongPassword as refusal:
        form.password.errors = [refusal.detail]
        return _page("auth/confirm.html", form)
    proof.give()
    return redirect(_next(), 303)


@bp.post("/account/sign-out-everywhere")
@login_required
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of this customer, this one included."""
    users.end_sessions(current.user())
    logout_user()
    session.clear()
    flash("You are signed out everywhere.")
    return redirect(url_for("auth.login"), 303)


def _sign_in(email: str, password: str) -> User:
    user = users.sign_in(email, password)
    if user is None:
        raise WrongPassword(WRONG_SIGN_IN)
    return user


def _prove(user: User, password: str) -> None:
    if not users.password_matches(user.password_hash, password):
        raise WrongPassword("The password is not right.")


def _sign_in_limits(email: str) -> Iterable[Limit]:
    """The account's limit comes first: a success forgets its failures, and only its."""
    account, network = _account(email), client_network()
    yield Limit("sign_in_account", account, FAILURES_PER_ACCOUNT, SIGN_IN_WINDOW)
    yield Limit("sign_in_network", network, FAILURES_PER_NETWORK, SIGN_IN_WINDOW)


def _registration_limits(email: str) -> Iterable[Limit]:
    """Per network; and per address, so that nobody can ask for ever whether it is taken."""
    per_network = current.settings().registrations_per_hour
    yield Limit("register", client_network(), per_network, REGISTRATION_WINDOW)
    yield Limit("register_account", _account(email), TRIES_PER_NEW_ACCOUNT, REGISTRATION_WINDOW)


def _account(email: str) -> str:
    """Whom limits by account count, whether or not there is such an account."""
    try:
        return attempts.digest(users.normalise_email(email))
    except BadInput:
        return attempts.digest(email)


def _start_session(user: User) -> ResponseReturnValue:
    _renew_session(user)
    return redirect(_next(), 303)


def _renew_session(user: User) -> None:
    """Nothing of the old session survives, so that nobody can have planted it."""
    session.clear()
    session.permanent = True
    sessions.begin(user)
    login_user(user)
    proof.give()


def _next() -> str:
    return safe_next(request.args.get("next"))


def _page(
    template: str, form: FlaskForm, *, failure: str | None = None, status: int = 400
) -> ResponseReturnValue:
    """The form, empty or with what is wrong with it; `status` is for the latter."""
    came_for = _next() if request.args.get("next") else None
    page = render_template(template, form=form, failure=failure, next=came_for)
    return page, status if form.is_submitted() else 200
