"""People at work while the office is killed: they send until they are answered, and remember.

Whoever gets no answer sends the same request again under the same key, as a browser or a program
of a careful author does. What was answered is written into the ledger, and nothing else is.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.process import PASSWORD
from tests.unit.intake.papers import jpeg, pdf

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_ASKED = {"situ": ("ktp", "bukti-tempat", "persetujuan-tetangga"), "siup": ("ktp", "npwp")}
_ANSWERS = {
    "business-name": "Warung Contoh",
    "business-address": "Jl. Contoh No. 2, Bogor",
}


@dataclass(frozen=True)
class Receipt:
    """What the applicant was answered."""

    application_id: str
    number: str
    code: str
    permit_type: str


@dataclass
class Ledger:
    """Everything that was answered with success, and how often an answer was missing."""

    submitted: dict[str, Receipt] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    # (event type, application) of what officers were told to have done.
    acted: set[tuple[str, str]] = field(default_factory=set)
    uploaded: set[str] = field(default_factory=set)
    unanswered: int = 0
    repeated: int = 0

    def __str__(self) -> str:
        return (
            f"{len(self.submitted)} submissions, {len(self.registered)} registrations and "
            f"{len(self.acted)} steps answered, {self.unanswered} calls unanswered"
        )


class Line:
    """The way to the office at ``address``: it may be cut at any moment, and comes back."""

    def __init__(self, address: str, ledger: Ledger, workflow: str = "") -> None:
        """``up`` is set while the office answers; ``over`` once nobody shall begin anything.

        ``workflow`` is where that service answers, if not at the same address.
        """
        self.address = address
        self.workflow = workflow or address
        self.ledger = ledger
        self.up = asyncio.Event()
        self.over = asyncio.Event()


class Client:
    """One connection of one person, with cookies."""

    def __init__(self, line: Line, address: str = "") -> None:
        """Call over ``line``, at ``address`` if it is another one."""
        self._line = line
        self._http = httpx.AsyncClient(base_url=address or line.address, timeout=30)

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def send(
        self, method: str, path: str, *, key: str | None = None, **body: Any
    ) -> httpx.Response:
        """Send a request, as often as it takes to be answered: 503 is none."""
        headers = {} if key is None else {"idempotency-key": key}
        while True:
            await self._line.up.wait()
            try:
                answer = await self._http.request(method, path, headers=headers, **body)
            except httpx.TransportError:
                self._line.ledger.unanswered += 1
                await asyncio.sleep(0.01)
                continue
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.05)

    async def sign_in(self, username: str) -> None:
        """Sign in as an officer, as a person would."""
        page = await self.send("GET", "/login")
        token = _TOKEN.search(page.text)
        assert token is not None
        form = {"csrf_token": token[1], "username": username, "password": PASSWORD, "next": "/"}
        answer = await self.send("POST", "/login", data=form)
        assert answer.status_code == 303, answer.text


async def applicant(
    line: Line, name: str, seed: str, queue: asyncio.Queue[Receipt], pause: float = 0.0
) -> None:
    """Hand in one application after the other until it is over, with a ``pause`` between."""
    client, chance, ledger = Client(line), random.Random(f"{seed} {name}"), line.ledger
    count = 0
    while not line.over.is_set():
        count += 1
        key = f"{name}-{count}"
        body = await _application(client, ledger, chance, key)
        receipt = await _submit(client, key, body)
        ledger.submitted[key] = receipt
        queue.put_nowait(receipt)
        if chance.random() < 0.1:
            # An answer may be lost on the way after all: asking again must change nothing.
            ledger.repeated += 1
            assert await _submit(client, key, body) == receipt
        await asyncio.sleep(pause)
    await client.close()


@asynccontextmanager
async def people_at_work(
    line: Line, seed: str, *, applicants: int, pause: float = 0.0
) -> AsyncIterator[None]:
    """Have applicants and officers at work over ``line`` until the block ends."""
    handed, registered, verified, surveyed = (asyncio.Queue[Receipt]() for _ in range(4))
    async with asyncio.TaskGroup() as people:
        for n in range(applicants):
            people.create_task(applicant(line, f"applicant-{n}", seed, handed, pause))
        for _ in range(2):
            people.create_task(counter(line, handed, registered))
        people.create_task(officer(line, VERIFY, registered, verified))
        people.create_task(officer(line, SKIP, verified, surveyed))
        people.create_task(officer(line, ASSESS, surveyed, None))
        line.up.set()
        yield
        line.over.set()


async def _application(
    client: Client, ledger: Ledger, chance: random.Random, key: str
) -> Mapping[str, Any]:
    permit_type = chance.choice(["situ", "siup"])
    asked = {name: pdf(name) for name in _ASKED[permit_type]}
    if permit_type == "siup":
        asked["pas-foto"] = jpeg()
    if chance.random() < 0.1:
        asked["ktp"] = pdf(key)
    documents = [
        {
            "requirement": requirement,
            "sha256": await _upload(client, ledger, content),
            "name": f"{requirement}.{'jpg' if requirement == 'pas-foto' else 'pdf'}",
        }
        for requirement, content in asked.items()
    ]
    answers = _ANSWERS | ({"area": chance.randint(1, 500)} if permit_type == "situ" else {})
    return {
        "office": "bogor",
        "permit_type": permit_type,
        "applicant": {
            "name": "Pemohon Contoh",
            "nik": "3271046504930002",
            "phone": "+6281212345678",
        },
        "answers": answers,
        "documents": documents,
    }


async def _upload(client: Client, ledger: Ledger, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in ledger.uploaded:
        answer = await client.send("POST", "/api/uploads", content=content)
        assert answer.status_code == 201, answer.text
        assert answer.json()["sha256"] == sha256
        ledger.uploaded.add(sha256)
    return sha256


async def _submit(client: Client, key: str, body: Mapping[str, Any]) -> Receipt:
    answer = await client.send("POST", "/api/applications", key=key, json=body)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    return Receipt(
        given["application_id"], given["number"], given["code"], str(body["permit_type"])
    )


async def counter(
    line: Line, queue: asyncio.Queue[Receipt], further: asyncio.Queue[Receipt]
) -> None:
    """Register what was handed in, one after the other, until it is over; pass it on."""
    client, ledger = Client(line), line.ledger
    await client.sign_in("loket")
    while (receipt := await _next(line, queue)) is not None:
        path = f"/api/applications/{receipt.application_id}/register"
        answer = await client.send("POST", path, key=f"register-{receipt.number}", json={})
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "registered"
        ledger.registered.add(receipt.application_id)
        further.put_nowait(receipt)
    await client.close()


@dataclass(frozen=True)
class Duty:
    """What one officer does with a permit: which command at which stage, and what it records."""

    username: str
    action: str
    body: Mapping[str, Any]
    event: str


VERIFY = Duty("verifikator", "complete-stage", {"stage": "verify"}, "StageCompleted")
SKIP = Duty(
    "survei", "skip-survey", {"stage": "survey", "reason": "Sudah dikenal."}, "SurveySkipped"
)
ASSESS = Duty(
    "penilai", "assess-fee", {"stage": "assess-fee", "measures": {"area_m2": 60}}, "FeeAssessed"
)


async def officer(
    line: Line, duty: Duty, queue: asyncio.Queue[Receipt], further: asyncio.Queue[Receipt] | None
) -> None:
    """Do one's duty on what comes in, as soon as the permit has come so far, and pass it on."""
    client = Client(line, line.workflow)
    await client.sign_in(duty.username)
    while (receipt := await _next(line, queue)) is not None:
        await _act(client, duty, receipt)
        line.ledger.acted.add((duty.event, receipt.application_id))
        if further is not None and receipt.permit_type == "situ":
            further.put_nowait(receipt)
    await client.close()


async def _act(client: Client, duty: Duty, receipt: Receipt) -> None:
    path = f"/api/workflow/permits/{receipt.number}/{duty.action}"
    key = f"{duty.action}-{receipt.number}"
    while True:
        answer = await client.send("POST", path, key=key, json=duty.body)
        if answer.status_code == 200:
            return
        # Registered, and the permit is not open yet: workflow hears of it a little later.
        assert answer.json()["code"] in ("permit-not-opened", "not-found"), answer.text
        await asyncio.sleep(0.05)


async def _next(line: Line, queue: asyncio.Queue[Receipt]) -> Receipt | None:
    """Return the next one to deal with, None once it is over."""
    while not line.over.is_set():
        try:
            async with asyncio.timeout(0.2):
                return await queue.get()
        except TimeoutError:
            continue
    return None
