"""Providers that outlive the office: stand-ins with a ledger, behind gates that can hold calls.

The gate is the network: it can keep a request back before the provider sees it, or an answer after
the provider took the message, and it says when it has something in its hands.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from tests.unit.notify.standins import StandIn, kannel_app, serving, whatsapp_app

_OUR_ID = re.compile(r"/webhooks/kannel/([0-9a-f-]{36})")
# WhatsApp: nobody of that number there. Its message goes on by SMS.
_NO_ACCOUNT = 131026


class Hold(Enum):
    """What a gate keeps back."""

    NOTHING = 0
    REQUESTS = 1
    ANSWERS = 2


class Gate:
    """Passes bytes between the office and one provider, or keeps some of them."""

    def __init__(self, upstream: str) -> None:
        """``upstream`` is the provider's address; see ``open``."""
        self._upstream = urlsplit(upstream).port
        self._hold = Hold.NOTHING
        self._go = asyncio.Event()
        self._held: list[str] = []
        self._answers = 0
        self.address = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Gate]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    def hold(self, what: Hold) -> None:
        """Keep ``what`` back from now on; forget what was held before."""
        self._hold, self._go = what, asyncio.Event()
        self._held, self._answers = [], 0

    def release(self) -> None:
        """Let the held answers go on to the office."""
        self._go.set()

    def has_requests_to(self, *numbers: str) -> bool:
        """Say whether it held the requests of messages to all of these telephone numbers."""
        return all(any(number in one for one in self._held) for number in numbers)

    def has_answers(self, count: int) -> bool:
        """Say whether it holds so many answers."""
        return self._answers >= count

    async def _connected(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        assert self._upstream is not None
        far, request = await asyncio.open_connection("127.0.0.1", self._upstream)
        ways = (
            asyncio.create_task(self._requests(near, request)),
            asyncio.create_task(self._replies(far, answer)),
        )
        # Either side may end it; a killed office ends it without a word.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        request.close()
        answer.close()

    async def _requests(self, near: asyncio.StreamReader, request: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await near.read(1 << 16):
                if self._hold is not Hold.NOTHING:
                    self._held.append(data.decode("latin-1"))
                if self._hold is not Hold.REQUESTS:
                    request.write(data)

    async def _replies(self, far: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await far.read(1 << 16):
                if self._hold is Hold.ANSWERS:
                    self._answers += 1
                    await self._go.wait()
                answer.write(data)


@dataclass
class Providers:
    """WhatsApp and an SMS gateway, with their gates.

    Numbers that end in an odd digit have no WhatsApp: their messages fall back to SMS.
    """

    meta: StandIn
    gateway: StandIn
    gates: dict[str, Gate]
    told: Counter[str] = field(default_factory=Counter)

    def calls(self) -> Counter[tuple[str, str]]:
        """Return how often each message was taken, by channel and our id; refusals don't count."""
        taken = Counter(
            ("whatsapp", one["biz_opaque_callback_data"])
            for one in self.meta.ledger
            if not without_whatsapp(one["to"])
        )
        taken.update(("sms", our_id(one["dlr-url"])) for one in self.gateway.ledger)
        return taken

    async def refuse_some(self) -> None:
        """Decide the next answer of WhatsApp by the number that it was asked to reach."""
        if without_whatsapp(self.meta.ledger[-1]["to"]):
            self.meta.answers.append(_NO_ACCOUNT)


def without_whatsapp(number: str) -> bool:
    """Say whether nobody is at this number on WhatsApp."""
    return int(number[-1]) % 2 == 1


def our_id(address: str) -> str:
    """Return our message id from the address that Kannel reports to."""
    found = _OUR_ID.search(address)
    assert found is not None, address
    return found[1]


@asynccontextmanager
async def providers() -> AsyncIterator[Providers]:
    """Run both until the block ends."""
    async with AsyncExitStack() as stack:
        meta = await stack.enter_async_context(serving(whatsapp_app))
        gateway = await stack.enter_async_context(serving(kannel_app))
        gates = {
            "whatsapp": await stack.enter_async_context(Gate(meta.address).open()),
            "sms": await stack.enter_async_context(Gate(gateway.address).open()),
        }
        made = Providers(meta, gateway, gates)
        meta.before_answer = made.refuse_some
        yield made
