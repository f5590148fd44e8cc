"""The counter's verdict on an application: each requirement right or not, with reasons."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, create_model

from services.intake.answers import Strict
from services.intake.catalogue import IntakeSection
from services.intake.states import Held
from shared.contracts.intake import Shortcoming
from shared.text import CleanParagraph, CleanText
from shared.web.forms import Form
from shared.web.i18n import msg

_LOOK = msg("Look at this document and mark it.")
_SAY_WHY = msg("Say what is wrong with it, so that the applicant can put it right.")
_SAY_WHAT = msg("Say what is missing, in a reason or a note.")
_MARKED_WRONG = msg(
    "This document is marked as not right. Return the application, or mark it right."
)


class CheckFields(Strict):
    """The counter's verdict; ``check-`` and ``reason-`` fields come with each requirement."""

    version: Annotated[int, Field(ge=1)]
    action: Literal["register", "return"]
    note: CleanParagraph = ""


@cache
def verdict_adapter(section: IntakeSection) -> TypeAdapter[Any]:
    """Return what validates the verdict on an application of this kind."""
    fields: dict[str, Any] = {}
    for place, item in enumerate(section.requirements):
        mark = Literal["", "ok", "bad"]
        fields[f"check_{place}"] = (mark, Field(alias=f"check-{item.id}", default=""))
        fields[f"reason_{place}"] = (CleanText, Field(alias=f"reason-{item.id}", default=""))
    return TypeAdapter(create_model("Check", __base__=CheckFields, **fields))


def judged(form: Form, verdict: Any, section: IntakeSection, state: Held) -> Form:
    """Return the form with what is wrong with the verdict."""
    there = {document.requirement for document in state.file.documents}
    for place, item in enumerate(section.requirements):
        mark, reason = getattr(verdict, f"check_{place}"), getattr(verdict, f"reason_{place}")
        if mark == "bad" and verdict.action == "register":
            form = form.with_error(f"check-{item.id}", _MARKED_WRONG)
        elif mark == "bad" and not reason:
            form = form.with_error(f"reason-{item.id}", _SAY_WHY)
        elif not mark and verdict.action == "register" and item.id in there:
            form = form.with_error(f"check-{item.id}", _LOOK)
    said = verdict.note or shortcomings_of(verdict, section)
    if verdict.action == "return" and not form.errors and not said:
        form = form.with_error("note", _SAY_WHAT)
    return form


def shortcomings_of(verdict: Any, section: IntakeSection) -> list[Shortcoming]:
    """Return what was marked as not right, with the reason."""
    return [
        Shortcoming(requirement=item.id, reason=getattr(verdict, f"reason_{place}"))
        for place, item in enumerate(section.requirements)
        if getattr(verdict, f"check_{place}") == "bad"
    ]
