"""Where settings come from: `.env`, `.env.local`, the environment, and what `bin/run` wrote."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key

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


def setting_in_file(path: Path, name: str) -> str | None:
    """What a file such as .env says, and None where it says nothing."""
    return dotenv_values(path, interpolate=False).get(name) or None


def write_setting(path: Path, name: str, value: str) -> None:
    """Put a setting into a file such as .env, in place of what stood there; the rest stays. A file
    that is made is nobody else's to read. Raises OSError."""
    require_writable(path)
    set_key(path, name, value, quote_mode="never", follow_symlinks=True)


def require_writable(path: Path) -> None:
    """Raises OSError for a file that cannot be written to, or not be replaced whole; one that is
    not there is made."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    if not os.access(path.resolve().parent, os.W_OK):
        raise PermissionError(errno.EACCES, "its folder cannot be written to")


def _non_empty(values: Mapping[str, str | None]) -> dict[str, str]:
    """Drop unset and empty values; blanks are kept: a blank secret must be refused, not missed."""
    return {name: value for name, value in values.items() if value}
