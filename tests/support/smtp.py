"""A mail server on loopback that keeps what it is sent: enough of SMTP for smtplib."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


class MailServer(socketserver.ThreadingTCPServer):
    """`refusals` maps a recipient to the reply that refuses it, such as 550 5.1.1 No such user."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received: list[tuple[str, list[str], bytes]] = []
        self.refusals: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def messages(self) -> list[EmailMessage]:
        return [
            cast(EmailMessage, message_from_bytes(data, policy=policy.default))
            for _, _, data in self.received
        ]


def words(message: EmailMessage) -> tuple[str, str]:
    """Subject and text, as a reader sees them: folded headers and line ends are the wire's."""
    text: str = message.get_content()
    return message["Subject"].strip(), text.replace("\r\n", "\n")


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        sender, recipients = "", []
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "MAIL":
                sender, recipients = line[10:].split(">")[0].lstrip("<"), []
            if verb == "RCPT":
                recipient = line[8:].split(">")[0].lstrip("<")
                if recipient in self.server.refusals:
                    self.say(self.server.refusals[recipient])
                    continue
                recipients.append(recipient)
            if verb == "DATA":
                self.say("354 go on")
                self.server.received.append((sender, recipients, self.data()))
            self.say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


@contextmanager
def a_mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
