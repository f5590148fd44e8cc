"""Whom a rule reaches, and what the event can tell them. Reads the store; never a read model.

An event of one topic may arrive before another topic's, but the store has both in order: the
application's own stream says who applied, the permit's stream who works on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from services.notify.people.roster import turns
from services.notify.people.staff import Staff
from shared.codec import Codec
from shared.contracts import payment, workflow
from shared.contracts.intake import ApplicationSubmitted
from shared.identity import Accounts
from shared.money import rupiah_text
from shared.offices import Catalogue
from shared.phone import reachable
from shared.store import EventStore
from shared.web.i18n import DEFAULT_LANGUAGE, Translator

APPLICANT: Final = "applicant"
GROUP: Final = "group"
BAD_NUMBER: Final = "bad-number"


class Recipient(NamedTuple):
    """Somebody to tell: an E.164 number or ``group:`` and an id, and a language.

    They are told ``wait`` from now at the earliest. ``audience`` is set where it is not the rule's
    own; ``problem`` says why nothing can be sent to them.
    """

    number: str
    language: str
    wait: timedelta = timedelta()
    audience: str = ""
    problem: str = ""


class Directory:
    """Finds recipients and makes the parameters of their messages."""

    def __init__(
        self, store: EventStore, codec: Codec, catalogue: Catalogue, accounts: Accounts
    ) -> None:
        """Who works at an office and on what, ``Staff`` knows."""
        self._store = store
        self._codec = codec
        self._catalogue = catalogue
        self._staff = Staff(store, codec, catalogue, accounts)

    async def submitted(self, application_id: str) -> ApplicationSubmitted | None:
        """Return what was submitted, at the office and with the number that it has now."""
        found: ApplicationSubmitted | None = None
        for recorded in await self._store.read_stream(f"application-{application_id}"):
            if recorded.type == "ApplicationSubmitted":
                found = self._codec.decode(recorded)
            elif recorded.type == "ApplicationForwarded" and found is not None:
                found = replace(found, office=self._codec.decode(recorded).office)
            elif recorded.type == "ApplicantPhoneCorrected" and found is not None:
                phone = self._codec.decode(recorded).phone
                found = replace(found, applicant=replace(found.applicant, phone=phone))
        return found

    async def recipients(
        self,
        audience: str,
        event: Any,
        submitted: ApplicationSubmitted,
        at: datetime,
        *,
        alert: bool = False,
    ) -> list[Recipient]:
        """Return the people of an audience who are told at ``at``, each number once.

        A number that can't be one is among them, marked: that nobody is told has to be seen.
        """
        if audience == APPLICANT:
            applicant = submitted.applicant
            return self._split([applicant.phone], applicant.language, submitted.office)
        asked = await self._staff.asked(audience, event, submitted.office, at, alert=alert)
        found = self._split(asked.numbers, DEFAULT_LANGUAGE, submitted.office, asked.pause)
        if asked.group:
            found.append(Recipient(f"{GROUP}:{asked.group}", DEFAULT_LANGUAGE, audience=GROUP))
        return found

    def _split(
        self, numbers: Iterable[str], language: str, office_id: str, pause: int | None = None
    ) -> list[Recipient]:
        """Return who can be told, one after the other, and behind them who can't be."""
        office = self._catalogue.offices.get(office_id)
        landlines = office is not None and office.landlines
        good: list[str] = []
        bad: list[str] = []
        for number in numbers:
            (good if reachable(number, landlines=landlines) else bad).append(number)
        told = [Recipient(turn.who, language, turn.wait) for turn in turns(good, pause)]
        return told + [Recipient(number, language, problem=BAD_NUMBER) for number in bad]

    def parameters(
        self, event: Any, submitted: ApplicationSubmitted, language: str
    ) -> dict[str, str]:
        """Return everything this event can tell, in words of the recipient's language."""
        office = self._catalogue.offices.get(submitted.office)
        kind = self._catalogue.types.get((submitted.permit_type, submitted.permit_version))
        common = {
            "number": submitted.number,
            "permit": kind.name.of(language) if kind else submitted.permit_type,
            "office": office.name.of(language) if office else submitted.office,
        }
        zone = ZoneInfo(office.zone if office else "Asia/Jakarta")
        return common | dict(_told(event, Translator(language), zone))


def by_mail(audience: str, submitted: ApplicationSubmitted) -> list[Recipient]:
    """Return who is told by e-mail: the applicant, where they gave an address."""
    applicant = submitted.applicant
    if audience != APPLICANT or not applicant.email:
        return []
    return [Recipient(applicant.email, applicant.language)]


def _told(event: Any, tr: Translator, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield what this kind of event tells beyond the file's number, permit and office."""
    match event:
        case payment.BillIssued():
            yield "amount", rupiah_text(event.amount)
            yield "account", event.virtual_account
            yield "due", _day(event.due_on, tr, zone)
        case payment.PaymentReceived() | payment.PaymentReversed():
            yield "amount", rupiah_text(event.amount)
        case workflow.PermitIssued():
            yield "document", event.document_number
        case workflow.SurveyScheduled():
            yield "day", _day(event.on, tr, zone)
        case workflow.PermitExpiryNoticed() | workflow.PermitExpired():
            yield "day", _day(event.valid_until, tr, zone)
        case workflow.RevocationAnnounced():
            yield "day", _day(event.effective_on, tr, zone)
            yield "reason", event.reason
        case workflow.PermitRevoked():
            yield "reason", event.reason
        case workflow.StageDueSoon() | workflow.StageOverdue() | workflow.PermitDeemedGranted():
            yield "due", tr.datetime(datetime.fromisoformat(event.due_at), zone)
        case workflow.StallExplanationRequested() | workflow.ComplaintFiled():
            yield "answer_by", tr.datetime(datetime.fromisoformat(event.answer_by), zone)
        case _:
            return


def _day(text: str, tr: Translator, zone: ZoneInfo) -> str:
    return tr.date(datetime.combine(date.fromisoformat(text), time(12), zone), zone)
