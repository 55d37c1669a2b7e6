"""A mail server for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.support.smtp import MailServer, a_mail_server


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with a_mail_server() as server:
        yield server
