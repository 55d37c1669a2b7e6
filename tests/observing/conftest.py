"""What the shop writes and counts while a test looks."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from storefront.observing.lines import JsonLines


class Written:
    """The log as production writes it, line by line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self, message: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["message"] == message]


@pytest.fixture
def log() -> Iterator[Written]:
    written = Written()
    handler = logging.StreamHandler(written.stream)
    handler.setFormatter(JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)
