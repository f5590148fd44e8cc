"""The counter puts an applicant's mobile number right, so that messages reach them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints, TypeAdapter

from services.intake.answers import Strict
from services.intake.counter import Counter, CounterDesk
from services.intake.desk import Ask
from services.intake.states import Held, Withdrawn
from shared.phone import PhoneNumber
from shared.text import CleanText
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg

_SAVED = msg("The number was corrected. What did not arrive at the old one is sent to this one.")


class PhoneFields(Strict):
    """The right number, and how the officer knows it."""

    phone: PhoneNumber
    reason: Annotated[CleanText, StringConstraints(min_length=1, max_length=200)]


_FIELDS = TypeAdapter(PhoneFields)


def contact_pages(counter: CounterDesk) -> APIRouter:
    """Return ``/pendaftaran/{number}/nomor`` for the counter."""
    router, pages = APIRouter(include_in_schema=False), counter.pages

    def asked(request: Request, state: Held, form: Form, status: int = 200) -> Response:
        return pages.render(
            request,
            "intake/phone.html",
            status_code=status,
            number=state.file.number,
            phone=state.file.phone,
            open=not isinstance(state, Withdrawn),
            form=form,
        )

    @router.get("/pendaftaran/{number}/nomor")
    async def ask(request: Request, number: str, account: Counter) -> Response:
        _, state, _ = await counter.find(number, account)
        return asked(request, state, Form())

    @router.post("/pendaftaran/{number}/nomor")
    async def correct(request: Request, number: str, account: Counter) -> Response:
        application_id, state, _ = await counter.find(number, account)
        parsed = parse_form(_FIELDS, await read_form(request))
        fields = parsed.value
        if fields is None:
            return asked(request, state, parsed.form, 422)
        await counter.desk.correct_phone(
            application_id, account.actor, fields.phone, fields.reason, Ask()
        )
        return pages.redirect(request, f"/pendaftaran/{number}", flash=_SAVED)

    return router
