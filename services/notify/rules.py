"""Who is told what, by which channels: data in ``rules.yaml``, validated against the templates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from services.notify.wording import Templates
from shared.contracts import BY_NAME
from shared.errors import BadConfiguration
from shared.offices import FileModel, Identifier, load_yaml

Audience = Literal["applicant", "officer", "supervisor", "head"]
ChannelName = Literal["whatsapp", "sms"]

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
    only true until the permit moves on: it is checked before sending.
    """

    id: Identifier
    event: str
    audience: Audience
    template: Identifier
    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1)]
    when: Mapping[str, str | bool] = Field(default_factory=dict)
    alert: bool = False

    def applies_to(self, event: object) -> bool:
        """Say whether ``event`` is of the kind that the rule is about."""
        return all(getattr(event, field) == value for field, value in self.when.items())


class _File(FileModel):
    """``stale_hours``: nobody is told of something that happened longer ago than this."""

    stale_hours: Annotated[int, Field(ge=1)]
    rules: tuple[Rule, ...]


class Rules:
    """All rules, by event type."""

    def __init__(self, rules: tuple[Rule, ...], stale_hours: int = 48) -> None:
        """Hold ``rules``; ids are unique."""
        self.all = {rule.id: rule for rule in rules}
        self.stale_hours = stale_hours

    @classmethod
    def load(cls, file: Path, templates: Templates) -> Rules:
        """Read and check a rules file. Raises BadConfiguration naming the file and the rule."""
        read = load_yaml(file, _File)
        for rule in read.rules:
            _check(rule, templates, file)
        if len({rule.id for rule in read.rules}) != len(read.rules):
            raise BadConfiguration(file=file.name, reason="two rules have the same id")
        return cls(read.rules, read.stale_hours)

    def of_event(self, name: str) -> list[Rule]:
        """Return the rules for an event type."""
        return [rule for rule in self.all.values() if rule.event == name]


def _check(rule: Rule, templates: Templates, file: Path) -> None:
    offered = OFFERED.get(rule.event)
    if offered is None:
        raise BadConfiguration(file=file.name, reason=f"{rule.id}: no rules for {rule.event}")
    fields = {field.name for field in dataclasses.fields(BY_NAME[rule.event].cls)}
    if unknown := set(rule.when) - fields:
        raise BadConfiguration(
            file=file.name,
            reason=f"{rule.id}: {rule.event} has no {', '.join(sorted(unknown))}",
        )
    wanted = set(templates.current(rule.template).parameters)
    if missing := wanted - offered:
        raise BadConfiguration(
            file=file.name,
            reason=f"{rule.id}: {rule.event} can't tell {', '.join(sorted(missing))}",
        )
