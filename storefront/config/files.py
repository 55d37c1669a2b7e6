"""Where settings come from: `.env`, `.env.local`, the environment, and what `bin/run` wrote."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parents[2]
FAKESTRIPE_ENV_FILE = "fakestripe.env"


def read_files(environ: dict[str, str], root: Path) -> dict[str, str]:
    """Merge `.env`, `.env.local` and the environment; empty values count as not set."""
    file = _non_empty(dotenv_values(root / ".env", interpolate=False))
    local = _non_empty(dotenv_values(root / ".env.local", interpolate=False))
    # The flask command puts .env into the environment by itself; that does not count as set.
    given = {name: value for name, value in _non_empty(environ).items() if file.get(name) != value}
    merged = file | local | given
    if "STRIPE_SECRET_KEY" in merged or merged.get("STOREFRONT_ENV") == "production":
        return merged
    made = instance_folder(merged, root) / FAKESTRIPE_ENV_FILE
    return _non_empty(dotenv_values(made, interpolate=False)) | merged


def instance_folder(settings: Mapping[str, str], root: Path = ROOT) -> Path:
    """Where this copy of the shop keeps its SQLite files and what it made for itself."""
    return (root / settings.get("STOREFRONT_INSTANCE", "instance")).resolve()


def _non_empty(values: Mapping[str, str | None]) -> dict[str, str]:
    """Drop unset and empty values; blanks are kept: a blank secret must be refused, not missed."""
    return {name: value for name, value in values.items() if value}
