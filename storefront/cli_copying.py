"""`flask db-copy`: a SQLite shop moves to PostgreSQL."""

from pathlib import Path

import click
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import create_engine

from storefront import copying
from storefront.config import database_url
from storefront.copying import CannotCopy, Copied
from storefront.db import db, engine_options, prepare_engine
from storefront.errors import ConfigError


@click.command("db-copy")
@click.option(
    "--to",
    "url",
    required=True,
    metavar="URL",
    envvar="DB_COPY_TO",
    help="postgresql://user:password@host/database; at head, and empty.",
)
@with_appcontext
def db_copy(url: str) -> None:
    """Copy the SQLite shop into a PostgreSQL database, and prove that both are the same. Stop the
    web processes and the workers first; start them on the copy."""
    try:
        target_url = database_url({"DATABASE_URL": url}, Path(current_app.instance_path))
    except ConfigError as error:
        raise click.ClickException(error.detail.replace("DATABASE_URL", "--to")) from None
    target = create_engine(target_url, **engine_options(target_url))
    prepare_engine(target)
    head = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    try:
        copied = copying.copy(db.engine, target, head, click.echo)
    except CannotCopy as error:
        raise click.ClickException(error.detail) from None
    finally:
        target.dispose()
    _tell(copied)


def _tell(copied: Copied) -> None:
    click.echo(
        f"copied {copied.rows:,} rows of {len(copied.tables)} tables: counts, sums and contents are"
        f" equal; the ledger has {copied.wallets:,} wallets and {copied.transfers:,} transfers on"
        " both sides, and its seals fit"
    )
    for discrepancy in copied.discrepancies:
        click.echo(f"differed before, and does still: {discrepancy.account}: {discrepancy.finding}")
    click.echo("Set DATABASE_URL to the copy, run flask doctor, and start the shop.")
