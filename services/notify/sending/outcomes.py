"""What a provider's word means: for its message, and for the channel and the person beyond it.

A call's answer and a report that comes later speak the same codes, so both are read here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from services.notify.channels import Effect, Failed, Later, Result, Sent, Unknown
from services.notify.message.commands import (
    DeferMessage,
    RecordFailure,
    RecordSent,
    RecordUnknown,
    Report,
)
from services.notify.people.contact import way_of
from services.notify.people.contacts import Contacts
from services.notify.rulebook.wording import Templates
from services.notify.sending.ways import Ways
from services.notify.traffic.gate import Gate
from shared.actors import Actor
from shared.contracts.notify import MessageQueued
from shared.errors import BadConfiguration
from shared.ids import derived_id

ATTEMPTS = 12
LONGEST_WAIT = 600.0
# Whoever wrote to us within the day is answered in free words.
WRITER = "writer"


class Outcomes:
    """Turns results into commands, and carries out what they mean beyond the message."""

    def __init__(
        self,
        ways: Ways,
        gate: Gate,
        contacts: Contacts,
        templates: Templates,
        now: Callable[[], datetime],
    ) -> None:
        """``ways`` knows the next channel; ``gate`` and ``contacts`` remember what was said."""
        self.ways = ways
        self.gate = gate
        self._contacts = contacts
        self._templates = templates
        self._now = now

    async def command(
        self, message: MessageQueued, channel: str, attempt: int, result: Result, by: Actor
    ) -> Report:
        """Return what ``result`` of ``attempt`` on ``channel`` means for the message."""
        now = self._now()
        match result:
            case Sent(provider_id=provider_id):
                return RecordSent(channel=channel, provider_id=provider_id, now=now, by=by)
            case Unknown():
                return RecordUnknown(attempt=attempt, now=now, by=by)
            case Failed(effect=Effect.PAUSE) | Later(effect=Effect.PAUSE):
                if other := await self.ways.after(message, channel, at_once=True):
                    return _failure(channel, result.reason, other, now, by)
                # The channel is not called until it is back; then this message is.
                return _later(channel, result.reason, 0.0, now, by)
            case Failed(reason=reason, effect=Effect.TEXT_CLOSED) if _free(message, attempt):
                return _later(channel, reason, 0.0, now, by)
            case Later(reason=reason, seconds=seconds) if attempt < ATTEMPTS:
                return _later(channel, reason, wait(seconds, attempt), now, by)
            case Later(reason=reason):
                return await self.failure(message, channel, Failed(reason), by)
            case Failed():
                return await self.failure(message, channel, result, by)

    async def failure(
        self, message: MessageQueued, channel: str, failed: Failed, by: Actor
    ) -> RecordFailure:
        """Return the command for a channel's no: the next channel, where one may do better."""
        other = await self.ways.after(message, channel) if failed.fallback else ""
        return _failure(channel, failed.reason, other, self._now(), by)

    async def consent(
        self, message: MessageQueued, channel: str, result: Result, by: Actor
    ) -> None:
        """Record an opt-out that the provider tells us of: once, however often it does."""
        if isinstance(result, Failed) and result.effect is Effect.OPT_OUT:
            cause = derived_id("opt-out", message.message_id, result.reason)
            way = way_of(channel)
            await self._contacts.withdraw(message.recipient, way, result.reason, by=by, cause=cause)

    async def beyond(
        self,
        message: MessageQueued,
        channel: str,
        person: str,
        result: Result,
        command: Report,
        *,
        probe: bool = False,
    ) -> None:
        """Carry out what ``result`` means for the channel, the template and the person."""
        template = self.template(message)
        await self.gate.heard(channel, template, person, result, probe=probe)
        resting = isinstance(result, Later) and result.effect is Effect.REST
        if resting and isinstance(command, DeferMessage):
            seconds = (command.not_before - command.now).total_seconds()
            self.gate.rest(channel, person, seconds)

    def template(self, message: MessageQueued) -> str:
        """Return the provider's name of the message's template; empty when it is gone."""
        try:
            return self._templates.get(message.template, message.template_version).whatsapp
        except BadConfiguration:
            return ""


def _free(message: MessageQueued, attempt: int) -> bool:
    return message.audience == WRITER and attempt < ATTEMPTS


def _failure(channel: str, reason: str, fallback: str, now: datetime, by: Actor) -> RecordFailure:
    return RecordFailure(channel=channel, reason=reason, fallback=fallback, now=now, by=by)


def _later(channel: str, reason: str, seconds: float, now: datetime, by: Actor) -> DeferMessage:
    until = now + timedelta(seconds=seconds)
    return DeferMessage(channel=channel, reason=reason, not_before=until, now=now, by=by)


def wait(least: float, attempt: int) -> float:
    """Return seconds until the next try: doubling, at least ``least``, with jitter."""
    grown = max(least, 1.0) * 2.0 ** (attempt - 1)
    return max(least, min(grown, LONGEST_WAIT)) * random.uniform(1.0, 1.5)
