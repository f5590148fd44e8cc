"""Invented applicants: names, numbers and answers that nobody can take for real ones."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache, partial
from random import Random

from services.intake.catalogue import IntakeSection, Question
from services.intake.uploads import Uploads
from shared.contracts.intake import Applicant, Document

# How often a document may come: at first, and after each return by the counter.
EDITIONS = 3


def applicant(number: int, language: str) -> Applicant:
    """Return the ``number``-th invented applicant.

    No province has the code 00, which a NIK begins with; the phone numbers continue those of the
    sample offices and accounts. E-mail addresses end in the reserved domain.
    """
    return Applicant(
        name=f"Pemohon Contoh {number}",
        nik=f"00{number:014d}",
        phone=f"+62815000{number % 100_000:05d}",
        email=f"pemohon{number}@contoh.example",
        address=f"Jl. Contoh No. {number}",
        language=language,
    )


def answers(section: IntakeSection, number: int, dice: Random) -> dict[str, str]:
    """Return an answer to every question of a form."""
    return {question.id: _answer(question, number, dice) for question in section.fields}


def _answer(question: Question, number: int, dice: Random) -> str:
    if question.kind == "number":
        return str(min(max(round(dice.lognormvariate(4.3, 0.8)), 6), 5000))
    if question.kind == "date":
        return f"2026-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    if question.kind == "long-text":
        return f"Jl. Contoh No. {number}, RT 001/RW 002"
    return f"Usaha Contoh {number}"


def sheet(requirement: str, edition: int) -> bytes:
    """Return the page that stands for every invented document of a requirement, as PDF.

    ``edition`` counts from 1; a correction sends the next one.
    """
    text = f"BT /F1 18 Tf 60 760 Td (CONTOH: {requirement}, {edition}) Tj ET".encode()
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        font,
    )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 6\n0000000000 65535 f \n" + rows
    return out + table + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)


async def keep_sheets(uploads: Uploads, sections: Iterable[IntakeSection]) -> None:
    """Keep the page of every requirement, so that the invented documents can be opened."""
    ids = {one.id for section in sections for one in section.requirements}
    for requirement in sorted(ids):
        for edition in range(1, EDITIONS + 1):
            await uploads.keep(_once(sheet(requirement, edition)))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@cache
def document(requirement: str, edition: int = 1) -> Document:
    """Return the invented document for a requirement."""
    content = sheet(requirement, edition)
    return Document(
        requirement=requirement,
        name=f"{requirement}.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        media_type="application/pdf",
    )


def corrected(documents: Sequence[Document], requirement: str) -> tuple[Document, ...]:
    """Return the documents with the next edition of one."""
    return tuple(map(partial(_next_of, requirement), documents))


def _next_of(requirement: str, held: Document) -> Document:
    if held.requirement != requirement:
        return held
    editions = [document(requirement, edition) for edition in range(1, EDITIONS + 1)]
    return editions[min(editions.index(held) + 1, EDITIONS - 1)]
