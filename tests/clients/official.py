"""Stripe's own clients: where bin/clients has put them, and how to run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storefront.config import ROOT

FOLDER = ROOT / ".venv/clients"
STORY = Path(__file__).with_name("story.mjs")
CLI = FOLDER / "node_modules/.bin/stripe"
TIMEOUT_SECONDS = 60
KEY = "sk_test_ofTheOfficialClients"


def not_here() -> str | None:
    """Why the clients cannot run on this machine, None if they can."""
    if shutil.which("node") is None:
        return "there is no Node here, which Stripe's own clients need"
    if not (FOLDER / ".installed").is_file():
        return "Stripe's own clients are not installed: bin/clients does it, with npm"
    return None


def node_story(url: str) -> dict[str, Any]:
    """What the Node SDK was answered by the fakestripe at `url`."""
    port = url.rsplit(":", 1)[1]
    told = _run(["node", str(STORY), port, str(FOLDER)], dict(os.environ))
    found: dict[str, Any] = json.loads(told)
    return found


@dataclass(frozen=True)
class Cli:
    """The Stripe CLI, with a fakestripe for Stripe and a home of its own."""

    url: str
    home: Path

    def trigger(self, event: str, *arguments: str) -> None:
        """`stripe trigger`; fails when one of its requests does."""
        self._stripe("trigger", event, *arguments)

    def post(self, path: str, *fields: str) -> None:
        """`stripe post`, each field as `name=value`."""
        data = [argument for field in fields for argument in ("--data", field)]
        self._stripe("post", path, "--confirm", *data)

    def fixtures(self) -> set[str]:
        """The events that `stripe trigger` knows."""
        text = self._run("trigger", "--help")
        return set(text.split("Supported events:")[1].split("Usage:")[0].split())

    def _stripe(self, *arguments: str) -> str:
        return self._run(*arguments, "--api-base", self.url, "--api-key", KEY)

    def _run(self, *arguments: str) -> str:
        return _run([str(CLI), *arguments], self._environment())

    def _environment(self) -> dict[str, str]:
        """It asks elsewhere for new versions of itself: a proxy that is not there refuses."""
        nowhere = "http://127.0.0.1:9"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "STRIPE_NO_AUTO_UPDATE": "1",
            "HTTPS_PROXY": nowhere,
            "HTTP_PROXY": nowhere,
            "NO_PROXY": "localhost,127.0.0.1",
        }


def _run(command: list[str], environment: dict[str, str]) -> str:
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
    assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
    return ran.stdout
