"""The flask commands. Each is safe to repeat, says what it did, and exits non-zero on trouble."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import with_appcontext

from storefront import config, jobs, work
from storefront.cli_catalog import catalog_commands
from storefront.cli_copying import db_copy
from storefront.cli_doctor import doctor_command
from storefront.cli_jobs import jobs_commands
from storefront.cli_ledger import ledger_commands
from storefront.cli_payments import payments_commands
from storefront.cli_reconcile import reconcile
from storefront.cli_users import users_commands
from storefront.cli_webhooks import webhooks
from storefront.observing import lines, serving
from storefront.web import current


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
    for command in (*groups, db_copy, doctor_command, reconcile, worker):
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
    settings = current.settings()
    lines.configure(settings.log_format, settings.log_level)
    registry = work.registry(current.work_context())
    with jobs.Stop() as stop, _figures_shown(settings):
        hand = jobs.Worker(registry, work.SCHEDULE, lease, stop)
        work.catch_up_at_start()
        if once:
            click.echo(f"{hand.drain()} jobs were started")
            return
        click.echo("worker: ready")
        hand.run()
        click.echo("worker: ended")


@contextmanager
def _figures_shown(settings: config.Config) -> Iterator[None]:
    """Two workers on one machine need two ports: the setting is per process."""
    port = settings.worker_metrics_port
    try:
        with serving.served(port, settings.metrics_token):
            yield
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(
            f"WORKER_METRICS_PORT is {port}, which another program has; give each worker its own."
        ) from None


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
