"""Who is told what, by which channels: data in ``rules.yaml``, validated against the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

from pydantic import Field

from services.notify.channels.routes import EMAIL
from services.notify.rulebook.wording import Templates
from shared.contracts import BY_NAME
from shared.errors import BadConfiguration
from shared.offices import (
    BadFile,
    FileModel,
    Identifier,
    Mistake,
    Origin,
    Place,
    QuietSpan,
    read_data,
    validated,
)
from shared.text import msg

Audience = Literal["applicant", "officer", "supervisor", "head"]
ChannelName = Literal["whatsapp", "sms", "email"]
Attachment = Literal["", "application-receipt", "payment-receipt", "permit-notice"]

_NO_EVENT = msg("Nothing can be told about {event}. Known here: {known}.")
_NO_FIELD = msg("{event} has no {field}. It has: {known}.")
_NO_VALUE = msg("{field} of {event} can't be {value}: write {kind}.")
_NO_TEMPLATE = msg("There is no message template {name} in the folder texts.")
_CANT_TELL = msg("{event} can't tell {parameter}, which the template {name} needs.")
_NO_DIGEST = msg("There is no digest {name} in this file.")
_SAME_ID = msg("Two rules or digests have the same id {id}.")
_URGENT_WAITS = msg("A rule is either urgent or part of a digest, which waits.")
_DIGEST_WORDS = msg("The template {name} of a digest needs the parameters {wanted}, and no other.")
_MAIL_ALONE = msg("E-mail goes to another address than the rest, so it needs a rule of its own.")
_MAIL_WHOM = msg("Only applicants are told by e-mail.")
_NO_SUBJECT = msg("The template {name} has no subject, which an e-mail needs.")
_NO_WHATSAPP = msg("The template {name} does not say its name at WhatsApp.")
_NO_PAPER = msg("Only an e-mail has an attachment.")
_CHANNEL_TWICE = msg("{name} is there twice.")
DIGEST_PARAMETERS = ("count", "lines")

_COMMON = frozenset({"number", "permit", "office"})
# What each event can tell a template; ``facts`` makes the values.
OFFERED: Mapping[str, frozenset[str]] = {
    "ApplicationSubmitted": _COMMON,
    "ApplicationReturned": _COMMON,
    "ApplicationRegistered": _COMMON,
    "BillIssued": _COMMON | {"amount", "account", "due"},
    "PaymentReceived": _COMMON | {"amount"},
    "PaymentReversed": _COMMON | {"amount"},
    "ApplicationForwarded": _COMMON,
    "SurveyScheduled": _COMMON | {"day"},
    "PermitIssued": _COMMON | {"document"},
    "PermitRejected": _COMMON,
    "PermitHandedOver": _COMMON,
    "PermitExpiryNoticed": _COMMON | {"day"},
    "PermitExpired": _COMMON | {"day"},
    "RevocationAnnounced": _COMMON | {"day", "reason"},
    "RevocationLifted": _COMMON,
    "PermitRevoked": _COMMON | {"reason"},
    "ComplaintFiled": _COMMON | {"answer_by"},
    "ComplaintAnswered": _COMMON,
    "ComplaintOverdue": _COMMON,
    "PermitDeemedGranted": _COMMON | {"due"},
    "StageDueSoon": _COMMON | {"due"},
    "StageOverdue": _COMMON | {"due"},
    "StallExplanationRequested": _COMMON | {"answer_by"},
    "StallEscalated": _COMMON,
}


class Rule(FileModel):
    """When ``event`` happens, ``audience`` is told ``template``, by the first channel that can.

    ``when`` narrows it down to events with these values in their fields. ``alert`` marks what is
    only true until the permit moves on: it is checked before sending. ``urgent`` is told in quiet
    hours, too. Waiting messages to one person with the same ``digest`` go out as one.
    """

    id: Identifier
    event: str
    audience: Audience
    template: Identifier
    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1)]
    when: Mapping[str, str | bool] = Field(default_factory=dict)
    alert: bool = False
    urgent: bool = False
    digest: Identifier | None = None
    attachment: Attachment = ""

    @property
    def by_mail(self) -> bool:
        """Whether the rule is about e-mail, and so about addresses instead of numbers."""
        return EMAIL in self.channels

    def applies_to(self, event: object) -> bool:
        """Say whether ``event`` is of the kind that the rule is about."""
        return all(getattr(event, field) == value for field, value in self.when.items())


class Digest(FileModel):
    """How messages to one person become one: ``template`` with a ``count`` and ``lines``.

    They are gathered for ``minutes``; at most ``most`` are listed, the others only counted.
    """

    template: Identifier
    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1)]
    minutes: Annotated[int, Field(ge=1, le=60)]
    most: Annotated[int, Field(ge=1, le=20)]


class RulesFile(FileModel):
    """``stale_hours``: nobody is told of something that happened longer ago than this."""

    stale_hours: Annotated[int, Field(ge=1)]
    quiet_hours: QuietSpan | None = None
    digests: Mapping[Identifier, Digest] = Field(default_factory=dict)
    rules: tuple[Rule, ...]


class Rules:
    """All rules, by event type."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        stale_hours: int = 48,
        quiet_hours: str | None = None,
        digests: Mapping[str, Digest] | None = None,
    ) -> None:
        """Hold ``rules``; ids are unique. ``quiet_hours`` as ``21:00-06:00``, or None."""
        self.all = {rule.id: rule for rule in rules}
        self.stale_hours = stale_hours
        self.quiet_hours = quiet_hours
        self.digests = dict(digests or {})

    @classmethod
    def load(cls, file: Path, templates: Templates) -> Rules:
        """Read and check a rules file. Raises BadFile with every line that is wrong, and why."""
        content, origin = read_data(file)
        read = validated(content, origin, RulesFile)
        if mistakes := list(rule_mistakes(read, templates, origin)):
            raise BadFile(mistakes)
        return cls(read.rules, read.stale_hours, read.quiet_hours, read.digests)

    def of_event(self, name: str) -> list[Rule]:
        """Return the rules for an event type."""
        return [rule for rule in self.all.values() if rule.event == name]

    def channels(self, rule: str) -> tuple[ChannelName, ...]:
        """Return the ways of a rule, or of a digest, in order; none for one that was removed."""
        found = self.all.get(rule) or self.digests.get(rule)
        return found.channels if found else ()


def rule_mistakes(read: RulesFile, templates: Templates, origin: Origin) -> Iterator[Mistake]:
    """Yield what no single word of the file shows: what does not belong together."""
    names = set(read.digests)
    for name, digest in read.digests.items():
        place: Place = ("digests", name)
        for where, msgid, params in _of_digest(digest, templates):
            yield _mistake(origin, (*place, where), msgid, params)
    for index, rule in enumerate(read.rules):
        if rule.id in names:
            yield _mistake(origin, ("rules", index, "id"), _SAME_ID, {"id": rule.id})
        names.add(rule.id)
        for where, msgid, params in _of_rule(rule, templates, read.digests):
            yield _mistake(origin, ("rules", index, where), msgid, params)


Problem = tuple[str, str, dict[str, str | int]]
"""The word in question, an msgid and its parameters."""


def _mistake(origin: Origin, place: Place, msgid: str, params: Mapping[str, str | int]) -> Mistake:
    return Mistake(origin.file, origin.line(place), place, msgid, params)


def _of_digest(digest: Digest, templates: Templates) -> Iterator[Problem]:
    wanted = ", ".join(DIGEST_PARAMETERS)
    found = _parameters(templates, digest.template)
    if found is None:
        yield "template", _NO_TEMPLATE, {"name": digest.template}
    elif found != set(DIGEST_PARAMETERS):
        yield "template", _DIGEST_WORDS, {"name": digest.template, "wanted": wanted}
    yield from _twice(digest.channels)


def _of_rule(rule: Rule, templates: Templates, digests: Mapping[str, Digest]) -> Iterator[Problem]:
    yield from _twice(rule.channels)
    yield from _ways(rule, templates)
    if rule.digest and rule.digest not in digests:
        yield "digest", _NO_DIGEST, {"name": rule.digest}
    if rule.digest and rule.urgent:
        yield "urgent", _URGENT_WAITS, {}
    wanted = _parameters(templates, rule.template)
    if wanted is None:
        yield "template", _NO_TEMPLATE, {"name": rule.template}
    offered = OFFERED.get(rule.event)
    if offered is None:
        yield "event", _NO_EVENT, {"event": rule.event, "known": ", ".join(sorted(OFFERED))}
        return
    for parameter in sorted((wanted or set()) - offered):
        said: dict[str, str | int] = {"name": rule.template, "parameter": parameter}
        yield "template", _CANT_TELL, {**said, "event": rule.event}
    yield from _conditions(rule)


def _ways(rule: Rule, templates: Templates) -> Iterator[Problem]:
    """Yield what no channel of the rule could carry."""
    if rule.attachment and not rule.by_mail:
        yield "attachment", _NO_PAPER, {}
    if rule.by_mail and len(rule.channels) > 1:
        yield "channels", _MAIL_ALONE, {}
    elif rule.by_mail and rule.audience != "applicant":
        yield "audience", _MAIL_WHOM, {}
    if _parameters(templates, rule.template) is None:
        return
    template = templates.current(rule.template)
    if rule.by_mail and template.subject is None:
        yield "template", _NO_SUBJECT, {"name": rule.template}
    if not rule.by_mail and not template.whatsapp:
        yield "template", _NO_WHATSAPP, {"name": rule.template}


def _conditions(rule: Rule) -> Iterator[Problem]:
    """Yield conditions that no event could ever fulfil."""
    kinds = get_type_hints(BY_NAME[rule.event].cls)
    for field, value in rule.when.items():
        if field not in kinds:
            known = ", ".join(sorted(kinds))
            yield "when", _NO_FIELD, {"event": rule.event, "field": field, "known": known}
        elif type(value) is not kinds[field]:
            kind = "true, false" if kinds[field] is bool else '"..."'
            told: dict[str, str | int] = {"event": rule.event, "field": field, "kind": kind}
            yield "when", _NO_VALUE, {**told, "value": str(value)}


def _parameters(templates: Templates, name: str) -> set[str] | None:
    try:
        return set(templates.current(name).parameters)
    except BadConfiguration:
        return None


def _twice(channels: tuple[ChannelName, ...]) -> Iterator[Problem]:
    for name in channels:
        if channels.count(name) > 1:
            yield "channels", _CHANNEL_TWICE, {"name": name}
            return
