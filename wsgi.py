"""The entry point for gunicorn and the flask command."""

import sys

from storefront import create_app
from storefront.errors import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"storefront cannot start: {error.detail}")
