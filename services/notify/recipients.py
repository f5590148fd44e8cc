"""Whom a rule reaches, and what the event can tell them. Reads the store; never a read model.

An event of one topic may arrive before another topic's, but the store has both in order: the
application's own stream says who applied, the permit's stream who works on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers

from shared.actors import Role
from shared.codec import Codec
from shared.contracts import payment, workflow
from shared.contracts.intake import ApplicationSubmitted
from shared.identity import Account, Accounts
from shared.money import rupiah_text
from shared.offices import Catalogue, Office
from shared.store import EventStore
from shared.web.i18n import DEFAULT_LANGUAGE, Translator

_MOBILE = (
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
)


class Recipient(NamedTuple):
    """One person to tell: an E.164 mobile number and a language."""

    number: str
    language: str


class Directory:
    """Finds recipients and makes the parameters of their messages."""

    def __init__(
        self, store: EventStore, codec: Codec, catalogue: Catalogue, accounts: Accounts
    ) -> None:
        """Officers come from ``accounts``, supervisors and heads from the office's contacts."""
        self._store = store
        self._codec = codec
        self._catalogue = catalogue
        self._accounts = accounts

    async def submitted(self, application_id: str) -> ApplicationSubmitted | None:
        """Return what was submitted, at the office that it belongs to now."""
        found: ApplicationSubmitted | None = None
        for recorded in await self._store.read_stream(f"application-{application_id}"):
            if recorded.type == "ApplicationSubmitted":
                found = self._codec.decode(recorded)
            elif recorded.type == "ApplicationForwarded" and found is not None:
                found = replace(found, office=self._codec.decode(recorded).office)
        return found

    async def recipients(
        self, audience: str, event: Any, submitted: ApplicationSubmitted
    ) -> list[Recipient]:
        """Return the people of an audience who can be reached, each number once."""
        if audience == "applicant":
            applicant = submitted.applicant
            found = [Recipient(applicant.phone, applicant.language)]
        else:
            numbers = await self._staff(audience, event, submitted.office)
            found = [Recipient(number, DEFAULT_LANGUAGE) for number in numbers]
        return [person for person in dict.fromkeys(found) if is_mobile(person.number)]

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

    async def _staff(self, audience: str, event: Any, office_id: str) -> list[str]:
        if audience == "officer":
            officers = await self._officers(event, office_id)
            return [account.phone for account in officers if account.phone]
        office: Office | None = self._catalogue.offices.get(office_id)
        if office is not None and audience in office.contacts:
            return [office.contacts[audience]]
        role = Role.SIGNER if audience == "head" else Role.SUPERVISOR
        return [a.phone for a in self._accounts.of_office(office_id, role) if a.phone]

    async def _officers(self, event: Any, office_id: str) -> list[Account]:
        """Return who is asked by name, else everybody on duty for the stage's role."""
        named = getattr(event, "assignee", "") or getattr(event, "asked", "")
        account = self._accounts.find(named) if named else None
        if account is not None:
            return [account]
        role = named if named in set(Role) else await self._role_of(event)
        return list(self._accounts.of_office(office_id, Role(role))) if role else []

    async def _role_of(self, event: Any) -> str:
        role = ""
        for recorded in await self._store.read_stream(f"permit-{event.application_id}"):
            if recorded.type == "StageStarted":
                started: workflow.StageStarted = self._codec.decode(recorded)
                role = started.role if started.stage == event.stage else role
        return role


def is_mobile(number: str) -> bool:
    """Say whether a number is a whole mobile number in E.164."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return e164 == number and phonenumbers.number_type(parsed) in _MOBILE


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
