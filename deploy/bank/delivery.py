"""Carries a month's callbacks to a running office, many at a time, as a bank's own queue would."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from deploy.bank.client import Teller, payment_order
from deploy.bank.keys import BankKeys
from deploy.bank.plan import AGAIN, Telling

# The office's tokens live for 15 minutes.
_TOKEN_SECONDS = 600.0


class Heard(NamedTuple):
    """The office's response code, and how many times it had to be asked for one."""

    code: str
    tries: int = 1


# Carries one telling to the office.
Post = Callable[[Telling], Awaitable[Heard]]


@dataclass
class Delivered:
    """How often each code was heard, and what heard another one than the plan says."""

    codes: Counter[str] = field(default_factory=Counter)
    surprises: list[tuple[Telling, Heard]] = field(default_factory=list)


async def deliver(tellings: Iterable[Telling], post: Post, *, at_once: int = 16) -> Delivered:
    """Carry tellings to the office, ``at_once`` at a time, begun in their order.

    ``post`` decides what to do about an office that is away; what it raises ends the delivery.
    """
    waiting = iter(tellings)
    delivered = Delivered()

    async def carry() -> None:
        # One iterator for all: each takes the next when it is free.
        for telling in waiting:
            heard = await post(telling)
            delivered.codes[heard.code] += 1
            # An answer that was lost may have been the first one.
            lost = heard.tries > 1 and telling.codes <= AGAIN and heard.code in AGAIN
            if heard.code not in telling.codes and not lost:
                delivered.surprises.append((telling, heard))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(carry())
    return delivered


class SnapPost:
    """A ``Post`` over SNAP BI. It asks again, with pauses, while the office is away."""

    def __init__(self, http: httpx.AsyncClient, keys: BankKeys, *, patience: float = 60.0) -> None:
        """``http`` has the office's address; ``patience`` are the seconds it may be away."""
        self._http = http
        self._keys = keys
        self._patience = patience
        self._token = ""
        self._since = 0.0
        self._signing_in = asyncio.Lock()

    async def __call__(self, telling: Telling) -> Heard:
        """Carry one telling. Raises TimeoutError when the office stays away."""
        loop = asyncio.get_running_loop()
        deadline, tries = loop.time() + self._patience, 0
        while True:
            tries += 1
            try:
                code = await self._call(telling)
            except httpx.TransportError:
                code = ""
            if code[:1] in ("2", "4") and code[:3] != "429":
                return Heard(code, tries)
            if loop.time() > deadline:
                raise TimeoutError(f"the office gave no answer, last {code or 'nothing'}")
            await asyncio.sleep(min(0.05 * tries, 1.0))

    async def _call(self, telling: Telling) -> str:
        teller = Teller(self._http, self._keys, telling.fault, token=await self._signed_in())
        payment = telling.payment
        order = payment_order(
            payment.account,
            self._keys,
            f"{payment.amount}.00",
            payment.request_id,
            advice=telling.advice,
            reference=payment.reference,
            paid_at=payment.at.isoformat(timespec="seconds"),
        )
        answer = await teller.report(order, telling.external_id)
        code = str(answer.get("responseCode", ""))
        if code == "4012501":
            self._token = ""
            return ""
        return code

    async def _signed_in(self) -> str:
        loop = asyncio.get_running_loop()
        async with self._signing_in:
            if not self._token or loop.time() - self._since > _TOKEN_SECONDS:
                teller = Teller(self._http, self._keys)
                await teller.sign_in()
                self._token, self._since = teller.token, loop.time()
            return self._token
