"""How a person wants to be told: ``/kabar``, opened by registration number and secret code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from services.notify.people.applications import Found
from services.notify.people.contact import Stated
from services.notify.people.contacts import Contacts
from shared.actors import APPLICANT
from shared.contracts.intake import ApplicationSubmitted
from shared.errors import NotFound
from shared.ids import derived_id, new_id
from shared.privacy import mask
from shared.web.door import Door, normal
from shared.web.forms import Form, read_form
from shared.web.i18n import LANGUAGES, msg
from shared.web.pages import Pages

PATH = "/kabar"
# The ways that a person may choose between.
WAYS = ("whatsapp", "sms")
STOP, GO = "stop", "go"
_WRONG = msg("Number and code do not belong together. Check both against your receipt.")
_FILL_IN = msg("Fill this in.")
_OPTION = msg("Choose one of the options.")
_SAVED = msg("Saved. This counts for every application with this mobile number.")
_STOPPED = msg("Saved. Nothing more is sent to this number until you start messages again.")


@dataclass(frozen=True)
class Preferences:
    """What the page stands on. ``submitted`` reads an application from the store."""

    pages: Pages
    door: Door[Found]
    contacts: Contacts
    submitted: Callable[[str], Awaitable[ApplicationSubmitted | None]]

    async def number_of(self, found: Found) -> tuple[str, str]:
        """Return an applicant's mobile number and the language of the application."""
        submitted = await self.submitted(found.application_id)
        if submitted is None:
            raise NotFound
        return submitted.applicant.phone, submitted.applicant.language

    async def form(self, phone: str, written: str) -> Form:
        """Return the form as the person left it."""
        said = await self.contacts.of(phone)
        known = said if isinstance(said, Stated) else Stated()
        silent = all(way in known.refused for way in WAYS)
        return Form(
            {
                "messages": STOP if silent else GO,
                "channel": known.channel or WAYS[0],
                "language": known.language or written,
            }
        )

    async def save(self, phone: str, form: Form, cause: str) -> None:
        """Record what the person chose. Stopping leaves the choice of channel as it was."""
        for way in WAYS:
            told = derived_id(cause, way)
            if form.has("messages", STOP):
                await self.contacts.withdraw(phone, way, "page", by=APPLICANT, cause=told)
            else:
                await self.contacts.agree(phone, way, by=APPLICANT, cause=told)
        await self.contacts.prefer(
            phone,
            channel=form.value("channel"),
            language=form.value("language"),
            by=APPLICANT,
            cause=derived_id(cause, "preference"),
        )

    async def drawn(
        self, request: Request, found: Found, form: Form | None = None, status: int = 200
    ) -> Response:
        """Return the page of one application."""
        phone, written = await self.number_of(found)
        return self.pages.render(
            request,
            "notify/preferences.html",
            status_code=status,
            number=found.number,
            phone=mask(phone),
            form=form or await self.form(phone, written),
            key=new_id(),
        )


def preference_pages(preferences: Preferences) -> APIRouter:
    """Return ``/kabar`` and what is behind it."""
    router = APIRouter(include_in_schema=False)
    _add_door(router, preferences)
    _add_wishes(router, preferences)
    return router


def _add_door(router: APIRouter, preferences: Preferences) -> None:
    """Add the page that asks for number and code."""
    pages, door = preferences.pages, preferences.door

    def asked(request: Request, form: Form, status: int = 200) -> Response:
        return pages.render(request, "notify/preferences_form.html", status_code=status, form=form)

    @router.get(PATH)
    async def ask(request: Request, number: str = "") -> Response:
        number = normal(number)
        if number in door.remembered(request):
            return pages.redirect(request, f"{PATH}/{quote(number)}")
        return asked(request, Form({"number": number}))

    @router.post(PATH)
    async def enter(request: Request) -> Response:
        data = await read_form(request)
        number, code = (str(data.get(name, "")).strip() for name in ("number", "code"))
        form = Form({"number": number})
        for name, value in (("number", number), ("code", code)):
            form = form if value else form.with_error(name, _FILL_IN)
        if form.errors:
            return asked(request, form, 422)
        try:
            found = await door.open(number, code, request)
        except NotFound:
            # One sentence at one field: it must not tell whether the number exists.
            return asked(request, form.with_error("number", _WRONG), 404)
        response = pages.redirect(request, f"{PATH}/{quote(found.number)}")
        door.remember(request, response, found.number)
        return response


def _add_wishes(router: APIRouter, preferences: Preferences) -> None:
    """Add the page of one application, for whoever came through the door."""
    pages, door = preferences.pages, preferences.door

    @router.get(f"{PATH}/{{number}}")
    async def show(request: Request, number: str) -> Response:
        try:
            found = await door.visitor(request, number)
        except NotFound:
            return pages.redirect(request, f"{PATH}?number={quote(normal(number))}")
        return await preferences.drawn(request, found)

    @router.post(f"{PATH}/{{number}}")
    async def save(request: Request, number: str) -> Response:
        found = await door.visitor(request, number)
        form, key = await _chosen(request)
        if form.errors:
            return await preferences.drawn(request, found, form, 422)
        phone, _ = await preferences.number_of(found)
        await preferences.save(phone, form, derived_id("preferences", found.number, key))
        said = _STOPPED if form.has("messages", STOP) else _SAVED
        return pages.redirect(request, f"{PATH}/{quote(found.number)}", flash=said)


async def _chosen(request: Request) -> tuple[Form, str]:
    """Return what was chosen, with a sentence at what was not one of the options."""
    data: Any = await read_form(request)
    options = {"messages": (STOP, GO), "channel": WAYS, "language": tuple(LANGUAGES)}
    form = Form({name: str(data.get(name, "")) for name in options})
    for name, allowed in options.items():
        form = form if form.value(name) in allowed else form.with_error(name, _OPTION)
    return form, str(data.get("key", ""))[:64] or new_id()
