"""`flask catalog …`: what is for sale, here and at Stripe."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from storefront import config, handlers, provisioning
from storefront.errors import StorefrontError
from storefront.provisioning import Action, Applied, Site
from storefront.stripe_gateway import reason
from storefront.web import current, health

DIFFERENT = 2
"""The exit code of `catalog plan` when there is something to do; 1 is trouble."""

COLOURS = {
    "create": "green", "change": "yellow", "archive": "red", "note": "cyan",
    "problem": "bright_red",
}  # fmt: skip
SECRET = "STRIPE_WEBHOOK_SECRET"  # noqa: S105  the setting's name

catalog_commands = AppGroup("catalog", help="What is for sale, here and at Stripe.")


@catalog_commands.command("plan")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def plan_catalog(as_json: bool) -> None:
    """Compare the catalogue with the Stripe account; exit 2 when there is a difference."""
    _require_tables()
    site = Site(current.settings(), tuple(handlers.HANDLERS))
    try:
        actions = provisioning.compare(current.gateway(), current.catalog(), site)
    except StorefrontError as error:
        raise click.ClickException(reason(error)) from None
    differ = [action for action in actions if action.differs]
    if as_json:
        _tell_json(differs=bool(differ), actions=list(map(_plain, actions)))
    else:
        for action in actions:
            _tell(action)
        right = sum(action.verb == "nothing" for action in actions)
        click.echo(f"{len(differ)} to do, {right} as the catalogue says")
    if differ:
        sys.exit(DIFFERENT)


@catalog_commands.command("apply")
@click.option(
    "--write-env",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"A file such as .env to write {SECRET} to, instead of printing it.",
)
@click.option(
    "--new-secret", is_flag=True, help="Make the webhook endpoint anew, with another secret."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def apply_catalog(write_env: Path | None, new_secret: bool, as_json: bool) -> None:
    """Make Stripe as the catalogue says: products, prices, the portal, the webhook endpoint."""
    _require_tables()
    site = Site(
        current.settings(),
        tuple(handlers.HANDLERS),
        keep_secret=_keeper(write_env, as_json),
        new_secret=new_secret,
    )
    tell = (lambda _: None) if as_json else _tell
    try:
        applied = provisioning.apply(current.gateway(), current.catalog(), tell, site)
    except StorefrontError as error:
        raise click.ClickException(reason(error)) from None
    if as_json:
        _tell_json(**_plain_result(applied, [] if write_env else site.told))
    else:
        _tell_result(applied)
    if applied.problems:
        sys.exit(1)


def _require_tables() -> None:
    """What the prices are called at Stripe is kept in the database."""
    try:
        revision, newest = health.migration_state()
    except SQLAlchemyError:
        raise click.ClickException("the database does not answer; look at DATABASE_URL") from None
    if revision != newest:
        raise click.ClickException("the database is not up to date; run: flask db upgrade")


def _keeper(path: Path | None, as_json: bool) -> Callable[[str, bool], None]:
    """What is done with a signing secret, at once: Stripe does not tell it again."""
    if path is None:
        return lambda secret, _replaces: None if as_json else _print_secret(secret)
    _require_writable(path)
    return lambda secret, replaces: _write_secret(path, secret, replaces)


def _print_secret(secret: str) -> None:
    click.echo("Put this line into .env and start the shop again; Stripe does not tell it twice:")
    click.echo(f"{SECRET}={secret}")


def _write_secret(path: Path, secret: str, replaces: bool) -> None:
    """Behind a secret that takes the place of another stays the old one: what is under way is
    signed with it."""
    old = config.setting_in_file(path, SECRET) if replaces else None
    try:
        config.write_setting(path, SECRET, f"{secret},{old}" if old else secret)
    except OSError as error:  # it was writable a moment ago, and the secret must not get lost
        click.echo(f"{path} could not be written to ({error.strerror})", err=True)
        _print_secret(secret)
        return
    click.echo(f"wrote {SECRET} to {path}; start the shop again", err=True)
    local = path.with_name(".env.local")
    if path.name == ".env" and config.setting_in_file(local, SECRET):
        click.echo(f"{local} sets {SECRET}, too, and wins: take it out there", err=True)


def _require_writable(path: Path) -> None:
    try:
        config.require_writable(path)
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be written to ({error.strerror}); name a file such as .env"
        ) from None


def _tell(action: Action) -> None:
    click.secho(action.line, fg=COLOURS.get(action.verb), color=colour())


def colour() -> bool | None:
    """None: on a terminal. NO_COLOR (no-color.org) switches it off."""
    return False if os.environ.get("NO_COLOR") else None


def _tell_result(applied: Applied) -> None:
    for note in applied.notes:
        click.secho(note, fg=COLOURS["note"], color=colour())
    click.echo(f"{len(applied.done)} done, {len(applied.problems)} left for you")
    for problem in applied.problems:
        click.echo(problem, err=True)


def _tell_json(**document: object) -> None:
    click.echo(json.dumps(document, indent=2))


def _plain_result(applied: Applied, secrets: list[str]) -> dict[str, object]:
    return {
        "done": list(map(_plain, applied.done)),
        "problems": applied.problems,
        "notes": applied.notes,
        "webhook_secret": secrets[-1] if secrets else None,
    }


def _plain(action: Action) -> dict[str, str]:
    return {
        "verb": action.verb, "kind": action.kind, "name": action.name, "text": action.text,
    }  # fmt: skip
