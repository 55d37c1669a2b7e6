"""Answers instead of Stripe's API, after so many milliseconds, and cheaply: what it costs is taken
from the same processors.

    python -m benchmarks.djstripe_shop.stub PORT MILLISECONDS
"""

import asyncio
import json
import signal
import sys
from contextlib import suppress

from benchmarks.events import KEY, intent

INTENTS = "/v1/payment_intents/pi_"
ACCOUNT = {"id": "acct_benchmark", "object": "account", "type": "standard", "country": "US",
           "charges_enabled": True, "payouts_enabled": True, "details_submitted": True,
           "email": "shop@example.com", "default_currency": "usd", "business_profile": {},
           "settings": {"branding": {}, "dashboard": {}}, "metadata": {}}  # fmt: skip
_INTENT = json.dumps(intent(KEY, KEY))
asked: dict[str, int] = {}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept alive until the other side hangs up."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1].decode().split("?")[0]
            await asyncio.sleep(delay_seconds)
            writer.write(response(path))
            await writer.drain()
    writer.close()


def response(path: str) -> bytes:
    found = _object(path)
    kind = path.removeprefix("/v1/").split("/")[0] if found else path
    asked[kind] = asked.get(kind, 0) + 1
    status, body = ("200 OK", found) if found else ("404 Not Found", b'{"error": {}}')
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\nRequest-Id: req_benchmark\r\n\r\n" + body


def _object(path: str) -> bytes:
    if path == "/v1/asked":
        return json.dumps(asked).encode()
    if path == "/v1/account":
        return json.dumps(ACCOUNT).encode()
    if path.startswith(INTENTS):
        return _INTENT.replace(KEY, path.removeprefix(INTENTS)).encode()
    return b""


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=256)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    delay_seconds = int(sys.argv[2]) / 1000
    asyncio.run(main(int(sys.argv[1])))
