"""The entry point for gunicorn and the flask command."""

import sys
from pathlib import Path

from flask import Flask

from storefront import create_app
from storefront.cli import fakestripe_app
from storefront.cli_doctor import doctor_app
from storefront.errors import ConfigError


def _app() -> Flask:
    if _asked_for("fakestripe"):
        return fakestripe_app()
    try:
        return create_app()
    except ConfigError as error:
        if _asked_for("doctor"):
            return doctor_app(error)
        sys.exit(f"storefront cannot start: {error.detail}")


def _asked_for(command: str) -> bool:
    return Path(sys.argv[0]).stem in ("flask", "__main__") and command in sys.argv


app = _app()
