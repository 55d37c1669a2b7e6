"""The entry point for gunicorn and the flask command."""

import sys
from pathlib import Path

from flask import Flask

from storefront import create_app
from storefront.cli import fakestripe_app
from storefront.errors import ConfigError


def _app() -> Flask:
    if Path(sys.argv[0]).stem in ("flask", "__main__") and "fakestripe" in sys.argv:
        return fakestripe_app()
    try:
        return create_app()
    except ConfigError as error:
        sys.exit(f"storefront cannot start: {error.detail}")


app = _app()
