"""What a form begins with when an officer enters an application from a mail.

A mail's form has a key made from the mail, so that the same mail makes one application however
often it is sent. The sender is nobody's proof of anything: no answer of the form comes from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from services.intake.catalogue import IntakeSection
from services.intake.forms import FormReader, Kept
from services.intake.mail.letter import Letter
from services.intake.mail.room import MailRoom, document_of, form_key
from services.intake.refusals import CounterOnly
from services.intake.submission import Named
from shared.actors import Role
from shared.errors import NotSignedIn
from shared.identity import Account


def named(letter: Letter, asked: Mapping[str, Any], section: IntakeSection) -> list[Named]:
    """Return which of a mail's documents go where: ``doc-{requirement}`` names a SHA-256.

    Raises NotFound for what is not in the mail.
    """
    found = []
    for item in section.requirements:
        if sha256 := str(asked.get(f"doc-{item.id}") or ""):
            document = document_of(letter, sha256)
            found.append(Named(requirement=item.id, sha256=sha256, name=document.name))
    return found


async def opened(
    room: MailRoom,
    reader: FormReader,
    request: Request,
    section: IntakeSection,
    account: Account | None,
) -> tuple[Mapping[str, str], Mapping[str, Kept]]:
    """Return the values and documents that a form for a mail begins with; none without a mail.

    Raises NotFound, NotSignedIn, CounterOnly, OtherOffice.
    """
    mail_id = request.query_params.get("mail", "")
    if not mail_id:
        return {}, {}
    if account is None:
        raise NotSignedIn
    if not account.has(Role.COUNTER):
        raise CounterOnly
    letter = await room.find(mail_id, account.office)
    kept = {
        one.requirement: reader.keep(one) for one in named(letter, request.query_params, section)
    }
    return {"mail": mail_id, "key": form_key(mail_id)}, kept
