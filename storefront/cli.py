"""The flask commands. Each is safe to repeat, says what it did, and exits non-zero on trouble."""

import logging
import os
import secrets
import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from storefront import config, jobs, users, work
from storefront.cli_catalog import catalog_commands
from storefront.cli_jobs import jobs_commands
from storefront.cli_ledger import ledger_commands
from storefront.cli_payments import payments_commands
from storefront.cli_webhooks import webhooks
from storefront.errors import StorefrontError
from storefront.web import current

DEMO_EMAIL = "demo@example.com"
users_commands = AppGroup("users", help="Customers.")


def fakestripe_app() -> Flask:
    """An app with the fakestripe command alone: the stand-in needs no setting of the shop's."""
    app = Flask(__name__)
    app.cli.add_command(fakestripe)
    return app


def register(app: Flask) -> None:
    groups = (
        catalog_commands, jobs_commands, ledger_commands, payments_commands, users_commands,
        webhooks,
    )  # fmt: skip
    for command in (*groups, worker):
        app.cli.add_command(command)
    app.cli.add_command(fakestripe)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, and end.")
@click.option(
    "--lease",
    type=click.FloatRange(min=1),
    default=jobs.LEASE_SECONDS,
    show_default=True,
    help="Seconds for which a job is this worker's; longer than any job takes.",
)
@with_appcontext
def worker(once: bool, lease: float) -> None:
    """Do promised work and the schedule until SIGTERM, which lets the job in hand end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("stripe").setLevel(logging.WARNING)  # it would tell of every request
    registry = work.registry(current.work_context())
    with jobs.Stop() as stop:
        hand = jobs.Worker(registry, work.SCHEDULE, lease, stop)
        work.catch_up_at_start()
        if once:
            click.echo(f"{hand.drain()} jobs were started")
            return
        click.echo("worker: ready")
        hand.run()
        click.echo("worker: ended")


@users_commands.command("create")
@click.argument("email")
@click.password_option(help="Asked for if not given.")
def create_user(email: str, password: str) -> None:
    """Create a customer."""
    try:
        user = users.register(email, password)
    except StorefrontError as error:
        raise click.ClickException(error.detail) from None
    click.echo(f"created {user.email} ({user.id})")


@users_commands.command("demo")
def create_demo_user() -> None:
    """Create the demo customer, unless there is one; print the sign-in. Not in production."""
    settings = current.settings()
    if settings.production or settings.livemode:
        raise click.ClickException("the demo customer is not made in production or with live keys")
    password = _kept_password(settings.instance / "demo_password")
    if users.find_by_email(DEMO_EMAIL) is None:
        users.register(DEMO_EMAIL, password)
    click.echo(f"{DEMO_EMAIL} {password}")


@click.command("fakestripe", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def fakestripe(arguments: tuple[str, ...]) -> None:
    """Run the stand-in for Stripe; `flask fakestripe serve --help` tells its options."""
    from storefront.fakestripe.__main__ import main as fakestripe_main  # no shop needs it loaded

    settings = config.read_files(dict(os.environ), config.ROOT)
    database = f"--database={config.instance_folder(settings) / 'fakestripe.sqlite3'}"
    port = settings.get("FAKESTRIPE_PORT", "12111")
    given = list(arguments) or ["serve"]
    sys.exit(fakestripe_main([given[0], database, f"--port={port}", *given[1:]]))


def _kept_password(path: Path) -> str:
    """A password made once for this copy of the shop, and kept, so that it can be told again."""
    if not path.exists():
        path.write_text(f"demo-{secrets.token_hex(3)}")
        path.chmod(0o600)
    return path.read_text().strip()
