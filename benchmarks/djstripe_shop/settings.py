"""As little Django as dj-stripe needs: no middleware, no templates, connections that persist."""

import os

DEBUG = False
SECRET_KEY = "benchmark"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.djstripe_shop.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "djstripe",
    "benchmarks.djstripe_shop",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["BENCH_DATABASE"],
        "HOST": os.environ["BENCH_DATABASE_FOLDER"],
        "USER": "postgres",
        "CONN_MAX_AGE": None,
    }
}
# Tables are made from the models: going through all migrations of dj-stripe takes a minute.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "djstripe": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING_CONFIG = None

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_" + "benchmark" * 3  # dj-stripe wants one as long as a real one
STRIPE_API_HOST = os.environ["BENCH_STRIPE"]
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
