"""Where the stand-in keeps its state and where it listens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """Everything a stand-in needs to know before it starts.

    `port` 0 means any free port. `public_url` is how browsers reach it, without a trailing
    slash; left empty it is `localhost` with the port: a shop is opened there too, and two sites
    in one page cost Chromium a process and its input events a frame.
    """

    database: Path
    host: str = "127.0.0.1"
    port: int = 12111
    public_url: str = ""

    def url(self) -> str:
        """Return the address browsers use, without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return f"http://localhost:{self.port}" if self.host == "127.0.0.1" else self.api_url()

    def api_url(self) -> str:
        """Return the address that servers use: the one that is listened on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
