"""Settings: the environment becomes one frozen Config, or start-up stops with one line.

`.env` and then `.env.local` are read from the project folder; what the environment already says
wins over both. With no Stripe key anywhere, the settings that `bin/run` wrote for fakestripe
(`fakestripe.env` in the instance folder) are used, except in production.
"""

from storefront.config.files import (
    FAKESTRIPE_ENV_FILE,
    ROOT,
    instance_folder,
    read_files,
    require_writable,
    setting_in_file,
    write_setting,
)
from storefront.config.keys import MINIMUM_SECRET_KEY_LENGTH, STRIPE_API_BASE
from storefront.config.services import database_url
from storefront.config.settings import STRIPE_JS_URL, BarOnDispute, Config, load

__all__ = [
    "FAKESTRIPE_ENV_FILE",
    "MINIMUM_SECRET_KEY_LENGTH",
    "ROOT",
    "STRIPE_API_BASE",
    "STRIPE_JS_URL",
    "BarOnDispute",
    "Config",
    "database_url",
    "instance_folder",
    "load",
    "read_files",
    "require_writable",
    "setting_in_file",
    "write_setting",
]
