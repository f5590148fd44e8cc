"""The people of a journey: applicants with number and code, officers who sign in.

They use what everybody can use: the JSON API to act, and the pages to read. Who acts sees it at
once, so nothing is waited for after one's own deed; waiting is only for what other parts do.
"""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.journeys.place import Place
from tests.running import until
from tests.unit.intake.papers import pdf

PASSWORD = "jejak-contoh"
PATIENCE = 20.0
"""Seconds that other parts get. Over Kafka a group that was just started is still settling."""

PERSON = {"name": "Pemohon Contoh", "nik": "3271046504930002", "phone": "0812 3456 7890"}
_MAIN = re.compile(r"<main.*</main>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Kept:
    """What an applicant keeps: id, number, secret code, and the address of the signed receipt."""

    application_id: str
    number: str
    code: str
    receipt: str


@dataclass(frozen=True)
class Person:
    """Somebody with a browser of their own."""

    place: Place
    http: httpx.AsyncClient

    async def get(self, path: str, status: int = 200) -> httpx.Response:
        """Open an address."""
        answer = await self.http.get(self.place.at(path))
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Send JSON and return the JSON that comes back."""
        answer = await self.http.post(self.place.at(path), json=body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def text(self, path: str) -> str:
        """Return what a page's own part says, as one line of text."""
        return words(await self._page(path))

    async def reads(self, path: str, *sentences: str) -> str:
        """Open a page, which must say all of ``sentences`` at once; return what it says."""
        said = await self.text(path)
        for sentence in sentences:
            assert sentence in said, f"{path} does not say {sentence!r}: {said}"
        return said

    async def will_read(self, path: str, *sentences: str) -> str:
        """Look at a page again until it says all of ``sentences``; return what it says."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = await self.http.get(self.place.at(path), headers={"accept": "text/html"})
            # A page that is found by a number is there once the list by number is.
            text = words(answer.text) if answer.status_code == 200 else ""
            if text and all(sentence in text for sentence in sentences):
                return text
            await asyncio.sleep(0.1)
        return await self.reads(path, *sentences)

    async def fill(self, path: str, **fields: str) -> httpx.Response:
        """Fill in the form of a page and send it."""
        token = _TOKEN.search(await self._page(path))
        assert token is not None, f"{path} has no form"
        form = fields | {"csrf_token": token[1]}
        return await self.http.post(self.place.at(path), data=form)

    async def uploaded(self, papers: Sequence[str]) -> list[dict[str, str]]:
        """Upload one scan per requirement and return how an application names them."""
        named = []
        for paper in papers:
            answer = await self.http.post(self.place.at("/api/uploads"), content=pdf(paper))
            assert answer.status_code == 201, answer.text
            name = paper.split(":")[0]
            named.append(
                {"requirement": name, "sha256": answer.json()["sha256"], "name": f"{name}.pdf"}
            )
        return named

    async def apply(
        self,
        office: str,
        permit_type: str,
        answers: Mapping[str, Any],
        papers: Sequence[str],
        **more: Any,
    ) -> Kept:
        """Hand an application in with one scan per named requirement."""
        body = {
            "office": office,
            "permit_type": permit_type,
            "applicant": PERSON,
            "answers": dict(answers),
            "documents": await self.uploaded(papers),
        }
        told = await self.post("/api/applications", body | more, 201)
        return Kept(told["application_id"], told["number"], told["code"], told["links"]["receipt"])

    async def _page(self, path: str) -> str:
        answer = await self.http.get(self.place.at(path), headers={"accept": "text/html"})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.text


@dataclass(frozen=True)
class Applicant(Person):
    """Somebody who wants a permit and has no account."""

    async def opens(self, kept: Kept) -> None:
        """Open the tracking page with number and code; this browser remembers it."""

        async def opened() -> bool:
            answer = await self.fill("/lacak", number=kept.number, code=kept.code)
            return answer.status_code == 303

        if not await opened():
            # Over Kafka the list by number may come a moment after the receipt.
            await until(opened, PATIENCE, what="the tracking page")

    async def sees(self, kept: Kept, *sentences: str) -> str:
        """Read the tracking page, which says all of ``sentences`` now."""
        return await self.reads(f"/lacak/{kept.number}", *sentences)

    async def will_see(self, kept: Kept, *sentences: str) -> str:
        """Wait until the tracking page says all of ``sentences``."""
        return await self.will_read(f"/lacak/{kept.number}", *sentences)


@dataclass(frozen=True)
class Officer(Person):
    """Somebody who works at an office."""

    async def register(self, kept: Kept) -> None:
        """Find the application complete; from now on its permit is in the procedure."""
        done = await self.post(f"/api/applications/{kept.application_id}/register", {})
        assert done["status"] == "registered"
        await self.finds(kept)

    async def finds(self, kept: Kept, stage: str = "") -> None:
        """Wait until the permit stands at ``stage`` (or anywhere) after what others did."""

        async def found() -> bool:
            answer = await self.http.get(self.place.at(f"/api/workflow/permits/{kept.number}"))
            told = answer.json()
            return answer.status_code == 200 and (
                told["stage"] == stage if stage else told["stage"]
            )

        await until(found, PATIENCE, what=f"{kept.number} at {stage or 'its first stage'}")

    async def stands(self, kept: Kept) -> Any:
        """Return how a permit stands now, as programs read it."""
        return (await self.get(f"/api/workflow/permits/{kept.number}")).json()

    async def does(self, kept: Kept, action: str, **body: Any) -> list[str]:
        """Give a command, see its effect at once, and return the facts that came of it."""
        before = await self.stands(kept)
        done = await self.post(f"/api/workflow/permits/{kept.number}/{action}", body)
        assert done["events"], f"{action} decided nothing"
        after = await self.stands(kept)
        assert after["version"] >= done["version"] > before["version"]
        return list(done["events"])

    async def is_refused(self, kept: Kept, action: str, code: str, **body: Any) -> Any:
        """Give a command that is refused, and return the refusal."""
        path = f"/api/workflow/permits/{kept.number}/{action}"
        answer = await self.http.post(self.place.at(path), json=body)
        assert answer.status_code >= 400, answer.text
        assert answer.json()["code"] == code, answer.text
        return answer.json()


class People:
    """Everybody in one journey; their browsers are closed when it ends."""

    def __init__(self, place: Place, stack: AsyncExitStack) -> None:
        """Let them come to ``place``."""
        self.place = place
        self._stack = stack

    async def applicant(self) -> Applicant:
        """Somebody new comes."""
        return Applicant(self.place, await self._browser())

    async def officer(self, username: str) -> Officer:
        """An officer signs in."""
        officer = Officer(self.place, await self._browser())
        answer = await officer.fill("/login", username=username, password=PASSWORD, next="/")
        assert answer.status_code == 303, answer.text
        return officer

    async def _browser(self) -> httpx.AsyncClient:
        return await self._stack.enter_async_context(httpx.AsyncClient(timeout=30))


@asynccontextmanager
async def people(place: Place) -> AsyncIterator[People]:
    """Open the doors of ``place`` until the block ends."""
    async with AsyncExitStack() as stack:
        yield People(place, stack)


def words(page: str) -> str:
    """Return the text of a page's main part: no tags, no line breaks, plain blanks."""
    found = _MAIN.search(page)
    assert found is not None, page
    return " ".join(html.unescape(_TAG.sub(" ", found.group())).split())
