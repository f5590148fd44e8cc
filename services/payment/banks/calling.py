"""Our calls to a bank: what is asked of every dialect, and how a call can end without an answer."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol

import httpx

from services.payment.banks.dialects import Calls
from services.payment.banks.recording import Money
from shared.contracts.payment import BillIssued
from shared.errors import Refused, Unavailable

# No honest answer about one bill is longer.
MAX_ANSWER = 4 * 1024 * 1024


class BankUnreachable(Unavailable):
    """The bank gave no usable answer. What we asked may have been done or not."""

    code = "bank-unreachable"
    text = "The bank did not answer. It will be asked again."


class BankSaysNo(Refused):
    """The bank understood and refused. ``answer`` is its response code."""

    code = "bank-says-no"
    text = "The bank refused: {answer}."

    def __init__(self, answer: str) -> None:
        """Keep the bank's code; its words may quote personal data."""
        super().__init__(answer=answer)
        self.answer = answer


class Reported(NamedTuple):
    """A payment in a bank's report of a day, and the account it went to."""

    virtual_account: str
    money: Money


class Bank(Protocol):
    """A partner that we can call. All may raise BankUnreachable and BankSaysNo."""

    async def open_account(self, bill: BillIssued, *, known: bool) -> None:
        """Tell what is owed; ``known`` when the bank was told of the account before."""
        ...

    async def close_account(self, bill: BillIssued) -> None:
        """Tell that nothing is owed any more."""
        ...

    async def payments(self, virtual_account: str, request_id: str) -> Sequence[Money]:
        """Return what was paid, ``request_id`` being what the bank called it, if we heard."""
        ...

    async def report(self, day: date) -> Sequence[Reported]:
        """Return the payments of one of the bank's business days."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status and the JSON object of the body, empty when there is none."""

    status: int
    body: Mapping[str, Any]


class Line:
    """One bank's HTTP line: its own host, no redirects (they would carry secrets), time-outs."""

    def __init__(self, calls: Calls) -> None:
        """Nothing is opened before the first call."""
        # httpx logs whole addresses, and those hold account numbers.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._http = httpx.AsyncClient(
            base_url=calls.base_url,
            timeout=httpx.Timeout(calls.timeout_seconds),
            follow_redirects=False,
            # An environment's proxy must not come between us and a bank.
            trust_env=False,
        )

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make one call. Raises BankUnreachable for anything but an answer in JSON."""
        try:
            answer = await self._http.request(
                method,
                path,
                content=body,
                headers={"Content-Type": "application/json", **headers},
            )
            if len(answer.content) > MAX_ANSWER:
                raise BankUnreachable
            found = answer.json()
        except (httpx.HTTPError, ValueError, RecursionError):
            raise BankUnreachable from None
        if answer.status_code >= 500 or answer.status_code == 429 or not isinstance(found, dict):
            raise BankUnreachable
        return Answer(answer.status_code, found)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()


def new_reference() -> str:
    """Return a number for one call of ours: digits, as the standard has external ids."""
    return f"{secrets.randbelow(10**20):020d}"
