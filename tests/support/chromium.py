"""Which Chromium the browser tests start, and how."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def executable() -> str:
    """CHROMIUM, the system's, or the one that Playwright downloaded. Raises LookupError."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None) or _downloaded()
    if not Path(found).exists():
        raise LookupError("no Chromium: run bin/chromium")
    return found


def _downloaded() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    print(executable())
